package io.loomuring.ring;

import java.util.Arrays;

/**
 * The operations in flight on one ring, by slot. A slot's {@code user_data} carries the slot in its
 * low half and the slot's generation in its high half, which moves on each time the slot is freed:
 * a late completion finds another generation and reaches nobody.
 *
 * <p>Used by the holder of the ring's owner word only. Allocates only to grow.
 */
final class OpTable {
    private static final int SLOTS_INITIAL = 1024;
    private static final long GENERATION = 1L << 32;

    private Op[] ops = new Op[SLOTS_INITIAL];
    private long[] userData = new long[SLOTS_INITIAL];
    private int[] freeSlots = new int[SLOTS_INITIAL]; // a stack
    private int freeCount;

    OpTable() {
        addSlots(0);
    }

    private void addSlots(int from) {
        for (int slot = ops.length - 1; slot >= from; slot--) {
            userData[slot] = slot;
            freeSlots[freeCount++] = slot;
        }
    }

    /** Takes a slot for an operation and returns its user_data, {@code >= 0}. */
    long allocate(Op op) {
        if (freeCount == 0) {
            grow();
        }
        int slot = freeSlots[--freeCount];
        assert ops[slot] == null;
        ops[slot] = op;
        return userData[slot];
    }

    private void grow() {
        int old = ops.length;
        // all three before any is stored: an OutOfMemoryError leaves the table as it was
        Op[] newOps = Arrays.copyOf(ops, 2 * old);
        long[] newUserData = Arrays.copyOf(userData, 2 * old);
        int[] newFreeSlots = new int[2 * old];
        ops = newOps;
        userData = newUserData;
        freeSlots = newFreeSlots;
        addSlots(old);
    }

    /** The operation in flight with this user_data, or null if that one has ended. */
    Op get(long data) {
        int slot = (int) data;
        return slot >= 0 && slot < ops.length && userData[slot] == data ? ops[slot] : null;
    }

    /** Ends the slot's generation. */
    void free(long data) {
        int slot = (int) data;
        assert userData[slot] == data && ops[slot] != null;
        ops[slot] = null;
        userData[slot] = (data + GENERATION) & Long.MAX_VALUE; // user_data < 0 is the ring's own
        freeSlots[freeCount++] = slot;
    }

    /**
     * The operation goes on without its request. That keeps its slot, and what it may name
     * reachable, by an operation that nobody has claimed.
     */
    void leave(long data) {
        ops[(int) data] = new Op(get(data).owner());
    }

    /** The user_data of those that are in flight and can leave their requests behind. */
    long[] movable() {
        var movable = new long[inFlight()];
        int count = 0;
        for (int slot = 0; slot < ops.length; slot++) {
            if (ops[slot] != null && ops[slot].isMovable()) {
                movable[count++] = userData[slot];
            }
        }
        return Arrays.copyOf(movable, count);
    }

    int inFlight() {
        return ops.length - freeCount;
    }
}
