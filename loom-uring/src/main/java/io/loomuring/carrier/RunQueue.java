package io.loomuring.carrier;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A carrier's runnable tasks, first in first out: the carrier pushes, the carrier and thieves poll.
 *
 * <pre>
 *     ... consumed ... | head .. runnable .. tail-1 | tail ... free ...
 *                        poll: CAS head h to h+1      push: release tail
 * </pre>
 *
 * The element at {@code h} is read before the exchange of head. It is the right one if the exchange
 * succeeds: head never goes back, and the owner reuses a slot only after head has passed it. A full
 * queue moves to an array twice as long; the old one is left as it was to a thief that still reads
 * it.
 */
final class RunQueue {
    private static final int CAPACITY_INITIAL = 256; // a power of two
    private static final int STEAL_MAX = 64;

    private volatile AtomicReferenceArray<Runnable> slots =
            new AtomicReferenceArray<>(CAPACITY_INITIAL); // written by the carrier only
    private final AtomicLong head = new AtomicLong();
    private final AtomicLong tail = new AtomicLong(); // written by the carrier only
    private long cleared; // slots below hold no reference any more; the carrier's own

    private static int index(AtomicReferenceArray<?> array, long position) {
        return (int) position & (array.length() - 1);
    }

    /** By the carrier. Allocates only to grow, before anything is changed. */
    @CarrierConfined
    void push(Runnable task) {
        long t = tail.getPlain();
        AtomicReferenceArray<Runnable> array = slots;
        if (t - head.getAcquire() == array.length()) {
            array = grow(array, t);
        }
        array.setPlain(index(array, t), task);
        tail.setRelease(t + 1); // publishes the task to thieves
    }

    private AtomicReferenceArray<Runnable> grow(AtomicReferenceArray<Runnable> old, long t) {
        var array = new AtomicReferenceArray<Runnable>(2 * old.length());
        long h = head.getAcquire();
        for (long i = h; i < t; i++) {
            array.setPlain(index(array, i), old.getPlain(index(old, i)));
        }
        cleared = h;
        slots = array;
        return array;
    }

    /** The oldest task, or null; by the carrier, which also drops references to consumed ones. */
    @CarrierConfined
    Runnable poll() {
        Runnable task = steal();
        forgetConsumed();
        return task;
    }

    /** By the carrier, which else would keep alive what others have stolen. */
    @CarrierConfined
    void forgetConsumed() {
        AtomicReferenceArray<Runnable> array = slots;
        long h = head.getPlain();
        // a slot further back than the array is long holds a younger task
        for (long i = Math.max(cleared, tail.getPlain() - array.length()); i < h; i++) {
            array.setPlain(index(array, i), null);
        }
        cleared = h;
    }

    /** The oldest task, or null; by any thread. */
    Runnable steal() {
        while (true) {
            long h = head.get();
            if (h >= tail.get()) {
                return null;
            }
            AtomicReferenceArray<Runnable> array = slots; // after tail: has what tail published
            Runnable task = array.get(index(array, h));
            if (head.compareAndSet(h, h + 1)) {
                return task;
            }
        }
    }

    /**
     * Moves up to half of another queue, at least one task if it has any, to this one; by this
     * queue's carrier.
     *
     * @return tasks moved
     */
    @CarrierConfined
    int stealHalf(RunQueue victim) {
        int wanted = Math.min((victim.size() + 1) / 2, STEAL_MAX);
        int moved = 0;
        while (moved < wanted) {
            Runnable task = victim.steal();
            if (task == null) {
                break;
            }
            push(task);
            moved++;
        }
        return moved;
    }

    boolean isEmpty() {
        return size() == 0;
    }

    /** Exact on the carrier while nobody steals, else a moment old. */
    int size() {
        long h = head.get();
        return (int) Math.max(0, tail.get() - h);
    }
}
