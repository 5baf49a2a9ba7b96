package io.loomuring.carrier;

import io.loomuring.abi.Shim;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A lock that is held for moments and never parks: a virtual thread on a carrier may take it, and
 * so may the carrier itself. Not reentrant.
 */
final class Guard {
    private final AtomicBoolean held = new AtomicBoolean();

    void lock() {
        while (!held.compareAndSet(false, true)) {
            Shim.yieldCpu();
        }
    }

    void unlock() {
        held.setRelease(false);
    }
}
