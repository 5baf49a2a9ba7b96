package io.loomuring.carrier;

import io.loomuring.ring.Op;

import sun.nio.ch.Interruptible;

/**
 * An owner of operations that hears of the interrupt of a platform thread while that sits in a
 * system call: the JDK then calls {@link #postInterrupt} on the interrupting thread.
 */
public interface InterruptibleOwner extends Op.Owner, Interruptible {
    /** Whether interrupts mean anything to it. */
    boolean closesOnInterrupt();

    /** Ends the descriptor, which cancels the operation; called any number of times. */
    @Override
    void postInterrupt();

    /** Does nothing: the thread looks at its interrupt status when it is out of the call. */
    @Override
    default void interrupt(Thread target) {}
}
