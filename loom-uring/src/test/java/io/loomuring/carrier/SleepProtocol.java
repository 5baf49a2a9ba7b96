package io.loomuring.carrier;

import java.lang.invoke.VarHandle;
import java.util.function.BooleanSupplier;

/**
 * The steps around {@link Wakeup} as a carrier and its wakers take them, and broken twins. A pause
 * between two steps is what the system's scheduler may do there.
 */
enum SleepProtocol {
    /** As {@code Carrier} has it. */
    RIGHT,

    /** The carrier looks for work before it says that it sleeps, and not again. */
    LOOKS_TOO_EARLY {
        @Override
        boolean maySleep(Wakeup wakeup, BooleanSupplier hasWork, Runnable pause) {
            boolean work = hasWork.getAsBoolean();
            pause.run();
            wakeup.prepareToSleep();
            return !work;
        }
    },

    /** The waker looks at the carrier's state before it enqueues. */
    WAKES_TOO_EARLY {
        @Override
        void bring(Wakeup wakeup, Runnable enqueue, Runnable pause) {
            wakeup.wake();
            pause.run();
            enqueue.run();
        }
    };

    /** The carrier's last look; false if it has work and must not wait. */
    boolean maySleep(Wakeup wakeup, BooleanSupplier hasWork, Runnable pause) {
        wakeup.prepareToSleep();
        pause.run();
        return !hasWork.getAsBoolean();
    }

    /** Another thread brings work. */
    void bring(Wakeup wakeup, Runnable enqueue, Runnable pause) {
        enqueue.run();
        pause.run();
        VarHandle.fullFence();
        wakeup.wake();
    }
}
