package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Memory;

/**
 * The completion queue of a ring: entries between head (ours) and tail (the kernel's).
 *
 * <p>Used by the holder of the ring's owner word only. An entry may be read until {@link #advance}
 * gives it back by the head's release.
 */
final class CompletionQueue {
    private final long head; // written by us
    private final long tail; // written by the kernel
    private final long overflow; // written by the kernel
    private final long cqes;
    private final int mask;
    private int localHead;

    CompletionQueue(long ring, long params) {
        long offsets = params + PARAMS_CQ_OFF;
        head = ring + Memory.getInt(offsets + CQ_OFF_HEAD);
        tail = ring + Memory.getInt(offsets + CQ_OFF_TAIL);
        overflow = ring + Memory.getInt(offsets + CQ_OFF_OVERFLOW);
        cqes = ring + Memory.getInt(offsets + CQ_OFF_CQES);
        mask = Memory.getInt(ring + Memory.getInt(offsets + CQ_OFF_RING_MASK));
        localHead = Memory.getInt(head);
    }

    /** Entries to be reaped. */
    int ready() {
        return Memory.getIntAcquire(tail) - localHead;
    }

    /** The address of the first entry. */
    long first() {
        return cqes + (long) (localHead & mask) * SIZEOF_IO_URING_CQE;
    }

    void advance() {
        Memory.putIntRelease(head, ++localHead);
    }

    /** Completions that the kernel lost, which it never does with {@code IORING_FEAT_NODROP}. */
    int lost() {
        return Memory.getIntAcquire(overflow);
    }
}
