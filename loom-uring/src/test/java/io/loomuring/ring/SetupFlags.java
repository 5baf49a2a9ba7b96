package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

/** The kinds of ring that {@code loomuring.ring.flags} can ask for. */
enum SetupFlags {
    COOPERATIVE(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG),
    DEFERRED(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN),
    NONE(0);

    private final int bits;

    SetupFlags(int bits) {
        this.bits = bits;
    }

    int bits() {
        return bits;
    }
}
