package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Memory;

/**
 * The submission queue of a ring: claim an entry, fill it, publish it by the tail's release.
 *
 * <p>Used by the holder of the ring's owner word only; the kernel reads tail and entries, and
 * writes head and flags.
 */
final class SubmissionQueue {
    private final long head; // written by the kernel
    private final long tail; // written by us
    private final long flags; // written by the kernel
    private final long dropped; // written by the kernel
    private final long sqes;
    private final int entries;
    private final int mask;
    private int localTail; // the tail's only other writer is us: no need to read it back

    SubmissionQueue(long ring, long params, long sqes) {
        long offsets = params + PARAMS_SQ_OFF;
        head = ring + Memory.getInt(offsets + SQ_OFF_HEAD);
        tail = ring + Memory.getInt(offsets + SQ_OFF_TAIL);
        flags = ring + Memory.getInt(offsets + SQ_OFF_FLAGS);
        dropped = ring + Memory.getInt(offsets + SQ_OFF_DROPPED);
        this.sqes = sqes;
        entries = Memory.getInt(ring + Memory.getInt(offsets + SQ_OFF_RING_ENTRIES));
        mask = Memory.getInt(ring + Memory.getInt(offsets + SQ_OFF_RING_MASK));
        localTail = Memory.getInt(tail);
        assert mask == entries - 1;
        // the array that could reorder entries stays the identity for good
        long array = ring + Memory.getInt(offsets + SQ_OFF_ARRAY);
        for (int i = 0; i < entries; i++) {
            Memory.putInt(array + (long) i * Integer.BYTES, i);
        }
    }

    /** Entries published and not yet consumed by the kernel. */
    int pending() {
        return localTail - Memory.getIntAcquire(head);
    }

    int entries() {
        return entries;
    }

    boolean isFull() {
        return pending() == entries;
    }

    /** Whether the kernel has completions that want an {@code io_uring_enter} to be seen. */
    boolean needsEnter() {
        return (Memory.getIntAcquire(flags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    }

    boolean needsWakeup() {
        return (Memory.getIntAcquire(flags) & IORING_SQ_NEED_WAKEUP) != 0;
    }

    boolean overflowed() {
        return (Memory.getIntAcquire(flags) & IORING_SQ_CQ_OVERFLOW) != 0;
    }

    /** Entries that the kernel refused to read: always 0, since the array is the identity. */
    int dropped() {
        return Memory.getIntAcquire(dropped);
    }

    /** Fills the next entry; {@link #publish} shows it to the kernel. Not when full. */
    void fill(
            int opcode,
            int sqeFlags,
            int fd,
            long off,
            long addr,
            int len,
            int opFlags,
            long userData,
            int bufGroup) {
        assert !isFull();
        long sqe = sqes + (long) (localTail & mask) * SIZEOF_IO_URING_SQE;
        // whole words: opcode u8, flags u8, ioprio u16, fd s32; the last 16 bytes stay zero
        Memory.putLong(sqe, opcode | (long) sqeFlags << 8 | (long) fd << 32);
        Memory.putLong(sqe + SQE_OFF, off);
        Memory.putLong(sqe + SQE_ADDR, addr);
        Memory.putLong(sqe + SQE_LEN, Integer.toUnsignedLong(len) | (long) opFlags << 32);
        Memory.putLong(sqe + SQE_USER_DATA, userData);
        Memory.putLong(sqe + SQE_BUF_GROUP, bufGroup);
    }

    void publish() {
        Memory.putIntRelease(tail, ++localTail);
    }
}
