package io.loomuring.ring;

import io.loomuring.abi.Shim;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Who uses a ring; one holder at a time.
 *
 * <pre>
 *                 +--> FILLING  --+    the carrier (or the virtual thread on it) claims, fills and
 *                 |               |    publishes an SQE
 *     OUTSIDE ----+--> ENTERING --+--> OUTSIDE     the carrier submits, waits and reaps
 *                 |               |
 *                 +--> RESCUED  --+    another thread does so for a carrier that is stuck
 * </pre>
 *
 * A thread can be stopped anywhere, by the scheduler of the system or a safepoint; so a rescuer
 * takes the word only from OUTSIDE, and the carrier never assumes that it still has it. The word is
 * taken by a compare-and-set and given back by a release store: 001-owner-word in docs/decisions
 * has the cost of it.
 */
final class OwnerWord {
    private static final int OUTSIDE = 0;
    static final int FILLING = 1;
    static final int ENTERING = 2;
    private static final int RESCUED = 3;

    private static final int SPINS_BEFORE_YIELD = 100;

    private final AtomicInteger word = new AtomicInteger(OUTSIDE);
    private Thread rescuer; // of RESCUED; others may read it: nobody sees himself but the rescuer

    /** By the carrier. False for a rescuer that has the word already. Full fence. */
    boolean acquire(int state) {
        if (word.compareAndSet(OUTSIDE, state)) {
            return true;
        }
        if (rescuer == Thread.currentThread()) {
            VarHandle.fullFence();
            return false;
        }
        acquireSlow(state);
        return true;
    }

    /** A rescuer has the ring for the time of one enter and reap: wait, without parking. */
    private void acquireSlow(int state) {
        int spins = 0;
        while (!word.compareAndSet(OUTSIDE, state)) {
            if (++spins < SPINS_BEFORE_YIELD) {
                Thread.onSpinWait();
            } else {
                Shim.yieldCpu();
            }
        }
    }

    /** By another thread, which doesn't wait; whether it has the word now. */
    boolean tryRescue() {
        if (!word.compareAndSet(OUTSIDE, RESCUED)) {
            return false;
        }
        rescuer = Thread.currentThread();
        return true;
    }

    /** By the holder: whether it is a rescuer. */
    boolean isRescued() {
        return rescuer != null;
    }

    /** By the holder. */
    void release() {
        assert word.get() != OUTSIDE;
        if (rescuer != null) {
            rescuer = null;
        }
        word.setRelease(OUTSIDE);
    }
}
