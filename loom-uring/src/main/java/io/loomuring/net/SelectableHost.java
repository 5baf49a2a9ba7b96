package io.loomuring.net;

import sun.nio.ch.SelChImpl;
import sun.nio.ch.SelectionKeyImpl;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;

/** A channel in front of an {@link Endpoint}, which selectors accept: what all of them have. */
interface SelectableHost extends SelChImpl, Endpoint.Host {
    /** The operations that wait for input. */
    int INPUT = SelectionKey.OP_READ | SelectionKey.OP_ACCEPT;

    /** The operations that wait for room. */
    int OUTPUT = SelectionKey.OP_WRITE | SelectionKey.OP_CONNECT;

    Endpoint endpoint();

    /** The operations that make sense in the channel's state: no other becomes ready. */
    default int possibleOps() {
        return INPUT | OUTPUT;
    }

    @Override
    default boolean isChannel() {
        return true;
    }

    @Override
    default IOException closed() {
        return new ClosedChannelException();
    }

    @Override
    default IOException closedWhileWaiting() {
        return new AsynchronousCloseException();
    }

    @Override
    default FileDescriptor getFD() {
        return endpoint().fd();
    }

    @Override
    default int getFDVal() {
        return endpoint().fdVal;
    }

    @Override
    default int translateInterestOps(int ops) {
        return Readiness.events(ops, INPUT, OUTPUT);
    }

    @Override
    default boolean translateAndUpdateReadyOps(int revents, SelectionKeyImpl key) {
        return updateReadyOps(revents, key.nioReadyOps(), key);
    }

    @Override
    default boolean translateAndSetReadyOps(int revents, SelectionKeyImpl key) {
        return updateReadyOps(revents, 0, key);
    }

    private boolean updateReadyOps(int revents, int readyBefore, SelectionKeyImpl key) {
        int possible = possibleOps();
        return Readiness.update(key, revents, readyBefore, INPUT & possible, OUTPUT & possible);
    }

    @Override
    default void kill() {
        endpoint().deregistered();
    }
}
