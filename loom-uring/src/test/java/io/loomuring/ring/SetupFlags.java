package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

/** The kinds of ring that {@code loomuring.ring.flags} and {@code loomuring.sqpoll} ask for. */
enum SetupFlags {
    COOPERATIVE(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG),
    DEFERRED(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN),
    NONE(0),
    POLLED(0);

    private static final int SQ_IDLE_MILLIS = 2; // short: tests meet a thread that sleeps, too

    private final int bits;

    SetupFlags(int bits) {
        this.bits = bits;
    }

    int bits() {
        return bits;
    }

    /** Whether submissions are taken without an enter. */
    boolean polled() {
        return this == POLLED;
    }

    SqThread sqThread() {
        return new SqThread(polled() ? SQ_IDLE_MILLIS : 0);
    }
}
