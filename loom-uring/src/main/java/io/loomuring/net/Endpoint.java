package io.loomuring.net;

import static io.loomuring.abi.Errno.EBADF;

import io.loomuring.abi.Shim;
import io.loomuring.carrier.InterruptibleOwner;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ref.Cleaner.Cleanable;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.NotYetConnectedException;
import java.util.Set;

/**
 * What connections, listening and datagram sockets share: a descriptor and the object in front,
 * interrupts, options, the descriptor's end.
 */
abstract class Endpoint extends FdLife implements InterruptibleOwner {
    /** The public object in front, which decides what close and interrupt look like. */
    interface Host {
        /** Closes the public object, and thereby the socket. */
        void close() throws IOException;

        /** Whether a selector may still use the descriptor. */
        default boolean isRegistered() {
            return false;
        }

        /**
         * Whether it is a channel: an interrupt closes it, and after a half-close that is all that
         * a call says. Of a socket an interrupt ends what a virtual thread waits for, with an
         * {@link InterruptedIOException}, and means nothing to a platform thread; what comes after
         * a half-close is the kernel's.
         */
        boolean isChannel();

        /** What a caller gets who comes after close. */
        IOException closed();

        /** What a caller gets who waits while another thread closes. */
        IOException closedWhileWaiting();

        /** What a caller gets who comes before connect: thrown or returned. */
        default IOException notConnected() {
            throw new NotYetConnectedException();
        }

        /**
         * Whether close shuts a connection's output down first, so that the peer sees the end even
         * if somebody else has the descriptor, too.
         */
        default boolean shutsDownBeforeClose() {
            return false;
        }

        /** Closes the descriptor: once, after its last use. */
        default void closeDescriptor(int fd) {
            Endpoint.closeDescriptor(fd);
        }
    }

    static final long NO_TIMEOUT = 0;

    final Host host;
    private final boolean closesOnInterrupt;
    final ProtocolFamily family;
    final FileDescriptor fd;
    final int fdVal;

    final Object stateLock = new Object();
    private volatile boolean closing; // stateLock to change
    private boolean descriptorClosed; // guarded by stateLock

    boolean blocking = true; // every operation claimed to change, any to read

    Endpoint(int directions, Host host, ProtocolFamily family, FileDescriptor fd) {
        super(directions);
        this.host = host;
        this.closesOnInterrupt = host.isChannel();
        this.family = family;
        this.fd = fd;
        this.fdVal = SunNet.fdVal(fd);
    }

    final FileDescriptor fd() {
        return fd;
    }

    final ProtocolFamily family() {
        return family;
    }

    /** Whether close has begun. */
    boolean isClosing() {
        return closing;
    }

    /** Makes {@link #isClosing} true, with what must change at the same time; under stateLock. */
    void setClosing() {
        closing = true;
    }

    final void ensureOpen() throws IOException {
        if (isClosing()) {
            throw host.closed();
        }
    }

    @Override
    final IOException closed() {
        return host.closed();
    }

    // ---- interrupts ----

    @Override
    public final boolean closesOnInterrupt() {
        return closesOnInterrupt;
    }

    @Override
    public final void interrupted(Op op) {
        if (closesOnInterrupt) {
            closeQuietly();
        } else if (Thread.currentThread().isVirtual()) {
            op.cancel(Op.INTERRUPT);
        }
    }

    /** On the thread that interrupts one of ours, which is in a system call. */
    @Override
    public final void postInterrupt() {
        closeQuietly();
    }

    final void checkInterrupt() throws ClosedByInterruptException {
        if (closesOnInterrupt && Thread.currentThread().isInterrupted()) {
            closeQuietly();
            throw new ClosedByInterruptException();
        }
    }

    final void closeQuietly() {
        try {
            host.close();
        } catch (IOException e) {
            // what made us close is the better reason
        }
    }

    /** Why a blocking call of {@code op} transferred nothing, if somebody ended it. */
    final void checkEnded(Op op) throws IOException {
        if (isClosing()) {
            throw host.closedWhileWaiting();
        }
        if (op.cancelReason() == Op.INTERRUPT) {
            throw new InterruptedIOException();
        }
    }

    // ---- options and addresses ----

    /** The options of a channel. */
    abstract Set<SocketOption<?>> supportedOptions();

    /** As a channel's. */
    final <T> void setOption(SocketOption<T> name, T value) throws IOException {
        SocketOptions.check(supportedOptions(), name, value);
        set(name, value);
    }

    /** As a channel's. */
    @SuppressWarnings("unchecked")
    final <T> T getOption(SocketOption<T> name) throws IOException {
        SocketOptions.check(supportedOptions(), name);
        return (T) get(name);
    }

    /** As a socket's in front of a channel: no other exceptions than a socket may throw. */
    final <T> void setSocketOption(SocketOption<T> name, T value) throws SocketException {
        try {
            setOption(name, value);
        } catch (IOException e) {
            throw SunNet.translateToSocketException(e);
        }
    }

    /** As a socket's in front of a channel: no other exceptions than a socket may throw. */
    final <T> T getSocketOption(SocketOption<T> name) throws SocketException {
        try {
            return getOption(name);
        } catch (IOException e) {
            throw SunNet.translateToSocketException(e);
        }
    }

    /** Sets an option that the caller knows to be supported. */
    void set(SocketOption<?> name, Object value) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            if (SocketOptions.isOfIp(name)) {
                SunNet.setIpOption(fd, family, name, value);
            } else {
                SunNet.setOption(fd, name, value);
            }
        }
    }

    /** The value of an option that the caller knows to be supported. */
    Object get(SocketOption<?> name) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return SocketOptions.isOfIp(name)
                    ? SunNet.getOption(fd, family, name)
                    : SunNet.getOption(fd, name);
        }
    }

    /** The kernel's answer, which is a wildcard's if it is not bound. */
    final SocketAddress socketName() throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return SunNet.localAddress(family, fd);
        }
    }

    // ---- the descriptor's end ----

    /**
     * Closes the socket, once. Whoever waits in a call of it is told; the descriptor is closed when
     * all of them are out of the kernel and no selector has it. Never waits.
     */
    final void close() {
        synchronized (stateLock) {
            assert !isClosing();
            setClosing();
        }
        beginClose();
    }

    /**
     * What a host closes the descriptor with that may be dropped without a close: when the socket
     * is closed, or unreachable; the first time counts. An operation in flight keeps its socket
     * reachable, and the socket its host.
     *
     * @param owner the object that is dropped
     */
    Cleanable closer(Object owner) {
        int number = fdVal;
        return SunNet.whenUnreachable(owner, () -> closeDescriptor(number));
    }

    static void closeDescriptor(int fd) {
        int n = Shim.close(fd);
        assert n != -EBADF : "descriptor " + fd + " closed twice";
    }

    /** The last selector has let go of the descriptor of a closed channel. */
    final void deregistered() {
        if (isUnused()) {
            unused();
        }
    }

    /** Out of use while a selector has the descriptor, which is closed when it no longer has. */
    void keptBySelector() {}

    @Override
    final void unused() {
        synchronized (stateLock) {
            assert isClosing();
            if (descriptorClosed) {
                return;
            }
            if (host.isRegistered()) {
                keptBySelector();
                return;
            }
            descriptorClosed = true;
        }
        host.closeDescriptor(fdVal);
    }
}
