package io.loomuring.carrier;

import io.loomuring.abi.Shim;
import io.loomuring.ring.Op;

import java.util.concurrent.locks.LockSupport;

/**
 * Waiting for an operation's final CQE. It returns in no other way: an interrupt, a deadline or an
 * error of the waiting thread cancels the operation or lets it be, and the wait goes on, since the
 * kernel owns the operation's memory until then.
 */
final class Waiting {
    private Waiting() {}

    private static final long NEVER = 0;

    /** The time after that many nanoseconds, for {@link #await}; a timeout of 0 is never. */
    static long deadline(long timeoutNanos) {
        return timeoutNanos > 0 ? System.nanoTime() + timeoutNanos | 1 : NEVER;
    }

    /** Waits; cancels the operation at its {@link #deadline}. */
    static void await(Op op, long deadline) {
        boolean timed = deadline != NEVER;
        boolean interrupted = false;
        while (op.inFlight()) {
            long nanos = Long.MAX_VALUE;
            if (timed) {
                nanos = deadline - System.nanoTime();
                if (nanos <= 0) {
                    op.cancel(Op.DEADLINE);
                    timed = false;
                    continue;
                }
            }
            park(nanos);
            if (Thread.currentThread().isInterrupted() && op.inFlight()) {
                boolean first = !interrupted;
                interrupted = Thread.interrupted() || interrupted; // else park wouldn't wait
                if (first) {
                    op.owner().interrupted(op);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void park(long nanos) {
        try {
            if (nanos == Long.MAX_VALUE) {
                LockSupport.park();
            } else {
                LockSupport.parkNanos(nanos);
            }
        } catch (StackOverflowError | OutOfMemoryError e) {
            // no stack or heap to park with: give others the processor and look again
            Shim.yieldCpu();
        }
    }
}
