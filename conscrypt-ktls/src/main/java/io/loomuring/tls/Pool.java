package io.loomuring.tls;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Buffers that wait for their next use, so that none is allocated for an operation and none is held
 * by an idle connection. Lock-free; the last given is the first taken, mostly.
 *
 * @param <T> of the buffers
 */
final class Pool<T> {
    private static final int SLOTS_PER_PROCESSOR = 4;

    private final Supplier<T> maker;
    private final AtomicReferenceArray<T> slots;

    Pool(Supplier<T> maker) {
        this.maker = maker;
        slots =
                new AtomicReferenceArray<>(
                        SLOTS_PER_PROCESSOR * Runtime.getRuntime().availableProcessors());
    }

    /** One that nobody else has until it is given back. */
    T take() {
        for (int i = 0; i < slots.length(); i++) {
            T found = slots.getPlain(i); // the exchange below publishes its content
            if (found != null) {
                found = slots.getAndSet(i, null);
                if (found != null) {
                    return found;
                }
            }
        }
        return maker.get();
    }

    /** Gives one back; where enough wait already it is left to the garbage collector. */
    void give(T buffer) {
        for (int i = 0; i < slots.length(); i++) {
            if (slots.getPlain(i) == null && slots.compareAndSet(i, null, buffer)) {
                return;
            }
        }
    }
}
