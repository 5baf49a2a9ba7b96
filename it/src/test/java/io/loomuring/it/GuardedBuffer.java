package io.loomuring.it;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A buffer whose every byte is accounted for: canaries before, behind and in the part that an
 * operation did not fill. From one use to the next all of it is canaries, so that a kernel that
 * writes after it gave the buffer back is seen at the next use.
 */
final class GuardedBuffer {
    private static final int GUARD = 64; // bytes on each side
    private static final byte[] CANARIES = {(byte) 0xA5, (byte) 0x5A};
    private static final int CAPACITY_MAX = 64 * 1024;
    private static final MemorySegment[] PATTERNS = new MemorySegment[CANARIES.length];

    static {
        for (int i = 0; i < CANARIES.length; i++) {
            var pattern = new byte[CAPACITY_MAX + 2 * GUARD];
            Arrays.fill(pattern, CANARIES[i]);
            PATTERNS[i] = MemorySegment.ofArray(pattern);
        }
    }

    private final MemorySegment all;
    private final byte[] heap; // all, or null for a native buffer
    private int uses;

    private GuardedBuffer(MemorySegment all, byte[] heap) {
        this.all = all;
        this.heap = heap;
        all.fill(canary());
    }

    static GuardedBuffer onHeap(int capacity) {
        var array = new byte[capacity + 2 * GUARD];
        return new GuardedBuffer(MemorySegment.ofArray(array), array);
    }

    static GuardedBuffer offHeap(int capacity) {
        return new GuardedBuffer(Arena.global().allocate(capacity + 2L * GUARD), null);
    }

    private byte canary() {
        return CANARIES[uses % CANARIES.length];
    }

    boolean isOnHeap() {
        return heap != null;
    }

    int capacity() {
        return (int) all.byteSize() - 2 * GUARD;
    }

    /** The native address of the usable part. */
    long address() {
        return all.address() + GUARD;
    }

    /** The array, guards included: the usable part begins at {@link #position}. */
    byte[] heap() {
        return heap;
    }

    int position() {
        return GUARD;
    }

    /** The usable part. */
    MemorySegment data() {
        return all.asSlice(GUARD, capacity());
    }

    /** Checks that nobody has written to any byte since {@link #retire}. */
    void checkUntouched() {
        checkCanaries(0, all.byteSize());
    }

    /**
     * Checks that the first bytes are those of the stream from a position on, and all others
     * untouched.
     */
    void checkReceived(int length, long streamPosition) {
        checkCanaries(0, GUARD);
        checkCanaries(GUARD + (long) length, all.byteSize());
        checkStream(length, streamPosition);
    }

    void checkStream(int length, long streamPosition) {
        long at = NumberedStream.mismatch(all.asSlice(GUARD, length), streamPosition);
        if (at >= 0) {
            throw new AssertionError(
                    "byte %d of %d, at %d of the stream, is wrong: %02x"
                            .formatted(at, length, streamPosition + at, byteAt(GUARD + at)));
        }
    }

    private void checkCanaries(long from, long to) {
        long at = MemorySegment.mismatch(all, from, to, PATTERNS[uses % PATTERNS.length], from, to);
        if (at >= 0) {
            throw new AssertionError(
                    "canary at %d of %d overwritten with %02x"
                            .formatted(from + at - GUARD, capacity(), byteAt(from + at)));
        }
    }

    private byte byteAt(long offset) {
        return all.get(java.lang.foreign.ValueLayout.JAVA_BYTE, offset);
    }

    /** After a use: all bytes become canaries, other ones than before. */
    void retire() {
        uses++;
        all.fill(canary());
    }
}
