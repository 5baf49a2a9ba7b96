package io.loomuring.net;

import sun.nio.ch.SelChImpl;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;

/** A channel in front of an {@link Endpoint}, which selectors accept: what all of them have. */
interface SelectableHost extends SelChImpl, Endpoint.Host {
    Endpoint endpoint();

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
    default void kill() {
        endpoint().deregistered();
    }
}
