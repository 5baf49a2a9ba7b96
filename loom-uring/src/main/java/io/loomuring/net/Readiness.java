package io.loomuring.net;

import static io.loomuring.abi.SocketAbi.*;

import sun.nio.ch.SelectionKeyImpl;

/** What the JDK's selectors ask of a channel: poll(2)'s events to and from ready operations. */
final class Readiness {
    private Readiness() {}

    /** The events to poll for; {@code inOps} and {@code outOps} wait for input and for room. */
    static int events(int ops, int inOps, int outOps) {
        return ((ops & inOps) != 0 ? POLLIN : 0) | ((ops & outOps) != 0 ? POLLOUT : 0);
    }

    /**
     * Sets the ready operations of a key after a poll.
     *
     * @param revents what poll answered
     * @param readyBefore operations that stay ready
     * @param inOps operations that {@code POLLIN} means in the channel's state
     * @param outOps operations that {@code POLLOUT} means in the channel's state
     * @return whether an operation is ready now that was not
     */
    static boolean update(
            SelectionKeyImpl key, int revents, int readyBefore, int inOps, int outOps) {
        if ((revents & POLLNVAL) != 0) {
            return false;
        }
        int interest = key.nioInterestOps();
        int before = key.nioReadyOps();
        int ready = readyBefore;
        if ((revents & (POLLERR | POLLHUP)) != 0) {
            ready = interest; // whatever is tried next will tell
        } else {
            if ((revents & POLLIN) != 0) {
                ready |= inOps & interest;
            }
            if ((revents & POLLOUT) != 0) {
                ready |= outOps & interest;
            }
        }
        key.nioReadyOps(ready);
        return (ready & ~before) != 0;
    }
}
