package io.loomuring.carrier;

import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The protocol between a carrier that goes to sleep in its ring and threads that bring it work.
 *
 * <pre>
 *     carrier                          another thread
 *     -------                          --------------
 *     state = SLEEPING                 enqueue
 *     full fence                       full fence
 *     look for work: none?             state == SLEEPING?
 *     sleep in the ring                compare-and-set to AWAKE: signal the eventfd
 *     state = AWAKE
 * </pre>
 *
 * Either the carrier sees the work or the other thread sees SLEEPING; only the one who wins the
 * exchange makes the system call. A signal that comes late ends some later sleep early, which is
 * harmless.
 */
final class Wakeup {
    private static final int AWAKE = 0;
    private static final int SLEEPING = 1;

    private final AtomicInteger state = new AtomicInteger(AWAKE);
    private final int eventFd;

    /**
     * @param eventFd polled by the carrier's ring
     */
    Wakeup(int eventFd) {
        this.eventFd = eventFd;
    }

    int eventFd() {
        return eventFd;
    }

    /** By the carrier, before it looks for work a last time. */
    @CarrierConfined
    void prepareToSleep() {
        state.set(SLEEPING); // a full fence: the look that follows must not be moved before it
    }

    /**
     * By the carrier, after it slept or found work after all.
     *
     * @return whether another thread woke it
     */
    @CarrierConfined
    boolean awake() {
        boolean woken = state.get() == AWAKE;
        state.setRelease(AWAKE);
        return woken;
    }

    /**
     * By any thread, after a full fence that follows its enqueueing.
     *
     * @return whether this call woke the carrier
     */
    boolean wake() {
        if (state.get() == SLEEPING && state.compareAndSet(SLEEPING, AWAKE)) {
            Shim.signal(eventFd);
            return true;
        }
        return false;
    }

    /** Ends the protocol; the carrier does not sleep any more. */
    void close() {
        Native.lu_close(eventFd);
    }
}
