package io.loomuring.carrier;

import io.loomuring.stress.Pause;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** {@link RunQueue}'s steps, one of which is wrong. */
final class FaultyRunQueue {
    /** Which one. */
    enum Fault {
        /** Who takes sets head without a comparison. */
        NO_EXCHANGE,

        /** Tail says that a task is there before it is. */
        TAIL_FIRST,

        /** Who takes reads the task when head has passed it already. */
        READ_LATE,

        /** The carrier wipes the array that it has outgrown. */
        OLD_ARRAY_WIPED
    }

    private final Fault fault;
    private volatile AtomicReferenceArray<Runnable> slots = new AtomicReferenceArray<>(2);
    private final AtomicLong head = new AtomicLong();
    private final AtomicLong tail = new AtomicLong();
    private long cleared;

    FaultyRunQueue(Fault fault) {
        this.fault = fault;
    }

    private static int index(AtomicReferenceArray<?> array, long position) {
        return (int) position & (array.length() - 1);
    }

    void push(Runnable task) {
        long t = tail.getPlain();
        AtomicReferenceArray<Runnable> array = slots;
        if (t - head.getAcquire() == array.length()) {
            array = grow(array, t);
        }
        if (fault == Fault.TAIL_FIRST) {
            tail.setRelease(t + 1);
            Pause.here();
        }
        array.setRelease(index(array, t), task);
        tail.setRelease(t + 1);
    }

    private AtomicReferenceArray<Runnable> grow(AtomicReferenceArray<Runnable> old, long t) {
        var array = new AtomicReferenceArray<Runnable>(2 * old.length());
        long h = head.getAcquire();
        for (long i = h; i < t; i++) {
            array.setPlain(index(array, i), old.getPlain(index(old, i)));
        }
        cleared = h;
        slots = array;
        if (fault == Fault.OLD_ARRAY_WIPED) {
            for (int i = 0; i < old.length(); i++) {
                old.set(i, null);
            }
        }
        return array;
    }

    Runnable poll() {
        Runnable task = steal();
        AtomicReferenceArray<Runnable> array = slots;
        long h = head.getPlain();
        for (long i = Math.max(cleared, tail.getPlain() - array.length()); i < h; i++) {
            array.setPlain(index(array, i), null);
        }
        cleared = h;
        return task;
    }

    Runnable steal() {
        while (true) {
            long h = head.get();
            if (h >= tail.get()) {
                return null;
            }
            AtomicReferenceArray<Runnable> array = slots;
            if (fault == Fault.OLD_ARRAY_WIPED) {
                Pause.here();
            }
            Runnable task = array.get(index(array, h));
            if (fault == Fault.NO_EXCHANGE) {
                head.set(h + 1);
                return task;
            }
            if (head.compareAndSet(h, h + 1)) {
                if (fault == Fault.READ_LATE) {
                    Pause.here();
                    return array.get(index(array, h));
                }
                return task;
            }
        }
    }

    int size() {
        long h = head.get();
        return (int) Math.max(0, tail.get() - h);
    }
}
