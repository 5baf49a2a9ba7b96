package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.*;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.UNIX;

import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NoConnectionPendingException;
import java.util.Set;

/**
 * The states of a stream socket, from its creation to its close; {@link StreamSocket} adds reading
 * and writing.
 *
 * <pre>
 *                  connect                    connection established
 *     UNCONNECTED ---------> PENDING ---------------------------------> CONNECTED
 *          |                    |       (also: accepted)                    |
 *          +--------------------+---------------------> CLOSING <-----------+
 *                     close, from any state                 |
 *                                 last operation over, no selector left
 *                                                           v
 *                                                 descriptor closed
 * </pre>
 *
 * The state changes under {@code stateLock}, with which nobody waits for anything. Connect, bind
 * and a change of the blocking mode claim both directions.
 *
 * <p>The descriptor is in the kernel's blocking mode as long as the socket is: io_uring waits for
 * readiness by itself, and would not on a non-blocking descriptor; a platform thread's system call
 * does so, too.
 */
abstract class Connection extends Endpoint {
    private static final int UNCONNECTED = 0;
    private static final int PENDING = 1;
    private static final int CONNECTED = 2;
    private static final int CLOSING = 3;

    private volatile int state; // stateLock to change
    volatile boolean inputClosed; // stateLock to change
    volatile boolean outputClosed; // stateLock to change
    private SocketAddress localAddress; // guarded by stateLock; of a connection, got on demand
    private SocketAddress remoteAddress; // guarded by stateLock
    private boolean addressesOutliveClose; // guarded by stateLock

    /** A new socket. */
    Connection(Host host, ProtocolFamily family) throws IOException {
        this(host, family, SunNet.socket(family), null, UNCONNECTED);
    }

    /** An accepted connection. */
    Connection(Host host, ProtocolFamily family, ListeningSocket.Accepted accepted) {
        this(host, family, accepted.fd(), accepted.remote(), CONNECTED);
    }

    private Connection(
            Host host, ProtocolFamily family, FileDescriptor fd, SocketAddress remote, int state) {
        super(2, host, family, fd);
        this.remoteAddress = remote;
        this.state = state;
    }

    // ---- state ----

    boolean isConnected() {
        return state == CONNECTED;
    }

    boolean isConnectionPending() {
        return state == PENDING;
    }

    boolean isInputOpen() {
        return !inputClosed;
    }

    boolean isOutputOpen() {
        return !outputClosed;
    }

    @Override
    final boolean isClosing() {
        return state >= CLOSING;
    }

    final void ensureConnected() throws IOException {
        int s = state;
        if (s != CONNECTED) {
            throw s < CONNECTED ? host.notConnected() : host.closed();
        }
    }

    final void ensureBlocking() {
        if (!blocking) {
            throw new IllegalBlockingModeException();
        }
    }

    // ---- bind and connect ----

    /** As {@code SocketChannel.bind}. */
    void bind(SocketAddress local) throws IOException {
        claimBoth();
        try {
            synchronized (stateLock) {
                ensureOpen();
                if (state == PENDING) {
                    throw new ConnectionPendingException();
                }
                if (localAddress() != null) {
                    throw new AlreadyBoundException();
                }
                localAddress = family == UNIX ? bindUnix(local) : bindInet(local);
            }
        } finally {
            releaseBoth();
        }
    }

    private SocketAddress bindUnix(SocketAddress local) throws IOException {
        if (local == null) {
            return SunNet.unnamed();
        }
        UnixDomainSocketAddress unix = SunNet.checkUnixAddress(local);
        if (unix.getPath().toString().isEmpty()) {
            return SunNet.unnamed();
        }
        SunNet.bind(fd, unix.getPath());
        return SunNet.localAddress(family, fd);
    }

    private SocketAddress bindInet(SocketAddress local) throws IOException {
        InetSocketAddress inet =
                local == null
                        ? new InetSocketAddress(SunNet.anyLocalAddress(family), 0)
                        : SunNet.checkAddress(local, family);
        SunNet.bind(family, fd, inet);
        return SunNet.localAddress(family, fd);
    }

    /** As {@code SocketChannel.connect}. */
    boolean connect(SocketAddress remote) throws IOException {
        return connect(remote, NO_TIMEOUT, false);
    }

    /**
     * Connects, in blocking mode only.
     *
     * @param timeoutNanos 0 for none
     * @throws java.net.SocketTimeoutException if it elapses; the socket is closed then
     */
    void connect(SocketAddress remote, long timeoutNanos) throws IOException {
        connect(remote, timeoutNanos, true);
    }

    private boolean connect(SocketAddress remote, long timeoutNanos, boolean mustBlock)
            throws IOException {
        SocketAddress target = checkRemote(remote);
        try {
            return establish(target, timeoutNanos, mustBlock);
        } catch (IOException e) {
            closeQuietly();
            throw SunNet.withAddress(e, target);
        }
    }

    /**
     * As {@link #connect(SocketAddress, long)}, but after a failure the caller closes.
     *
     * @param target an address of the socket's family, not a wildcard
     */
    void establish(SocketAddress target, long timeoutNanos) throws IOException {
        establish(target, timeoutNanos, true);
    }

    private boolean establish(SocketAddress target, long timeoutNanos, boolean mustBlock)
            throws IOException {
        claimBoth();
        try {
            if (mustBlock) {
                ensureBlocking();
            }
            ensureOpen();
            if (blocking) {
                checkInterrupt();
            }
            beginConnect(target);
            if (blocking) {
                connectWaiting(target, timeoutNanos);
            } else if (!SunNet.connect(family, fd, target)) {
                return false;
            }
            established();
            return true;
        } finally {
            releaseBoth();
        }
    }

    private SocketAddress checkRemote(SocketAddress remote) {
        if (family == UNIX) {
            return SunNet.checkUnixAddress(remote);
        }
        InetSocketAddress inet = SunNet.checkAddress(remote, family);
        if (!inet.getAddress().isAnyLocalAddress()) {
            return inet;
        }
        boolean inet4 = inet.getAddress() instanceof Inet4Address;
        return new InetSocketAddress(
                inet4 ? SunNet.inet4Loopback() : SunNet.inet6Loopback(), inet.getPort());
    }

    private void beginConnect(SocketAddress target) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            if (state == CONNECTED) {
                throw new AlreadyConnectedException();
            }
            if (state == PENDING) {
                throw new ConnectionPendingException();
            }
            state = PENDING;
            if (family != UNIX && localAddress == null) {
                SunNet.beforeConnect(fd, (InetSocketAddress) target);
            }
            remoteAddress = target;
        }
    }

    private void connectWaiting(SocketAddress target, long timeoutNanos) throws IOException {
        int n;
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(Sockaddr.SIZE, Long.BYTES).address();
            int length = Sockaddr.put(address, target, family != INET && SunNet.isIPv6Available());
            n = CarrierIo.connect(writeOp, fdVal, address, length, timeoutNanos);
        }
        checkInterrupt();
        checkEnded(writeOp);
        if (n < 0) {
            throw writeOp.cancelReason() == Op.DEADLINE && n == -ECANCELED
                    ? IoExceptions.connectTimedOut()
                    : IoExceptions.connect(n);
        }
    }

    private void established() {
        synchronized (stateLock) {
            if (state == PENDING) {
                localAddress = null; // it may be more precise now than what was bound to
                state = CONNECTED;
            }
        }
    }

    /** As {@code SocketChannel.finishConnect}. */
    boolean finishConnect() throws IOException {
        try {
            claimBoth();
            try {
                if (state == CONNECTED) {
                    return true;
                }
                ensureOpen();
                if (blocking) {
                    checkInterrupt();
                }
                if (state != PENDING) {
                    ensureOpen();
                    throw new NoConnectionPendingException();
                }
                if (!SunNet.pollConnect(fd)) {
                    if (!blocking) {
                        return false;
                    }
                    finishConnectWaiting();
                }
                if (blocking) {
                    checkEnded(writeOp);
                }
                established();
                return isConnected();
            } finally {
                releaseBoth();
            }
        } catch (IOException e) {
            closeQuietly();
            throw SunNet.withAddress(e, remoteAddress());
        }
    }

    private void finishConnectWaiting() throws IOException {
        boolean connected = false;
        while (!connected && !isClosing()) {
            int revents = CarrierIo.poll(writeOp, fdVal, POLLOUT, NO_TIMEOUT);
            checkInterrupt();
            if (revents < 0) {
                checkEnded(writeOp);
                throw IoExceptions.connect(revents);
            }
            connected = SunNet.pollConnect(fd);
        }
    }

    // ---- addresses, options, modes ----

    /** Null if not bound. Fails as a closed socket does. */
    SocketAddress getLocalAddress() throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return localAddress();
        }
    }

    /** Null if not connected. Fails as a closed socket does. */
    SocketAddress getRemoteAddress() throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return remoteAddress;
        }
    }

    /** Null if not bound; known after close, too, if it was asked for before. */
    SocketAddress localAddressOrNull() {
        synchronized (stateLock) {
            try {
                return localAddress();
            } catch (IOException e) {
                return null; // getsockname(2) on an open descriptor
            }
        }
    }

    /** Null if not connected; also after close. */
    SocketAddress remoteAddress() {
        synchronized (stateLock) {
            return remoteAddress;
        }
    }

    /** Makes the local address known after close as well. */
    void keepAddresses() {
        synchronized (stateLock) {
            addressesOutliveClose = true;
        }
    }

    /** A connection's address is asked for when it is wanted: accept is one system call cheaper. */
    private SocketAddress localAddress() throws IOException {
        assert Thread.holdsLock(stateLock);
        if (localAddress == null && state == CONNECTED) {
            localAddress = SunNet.localAddress(family, fd);
        }
        return localAddress;
    }

    @Override
    final Set<SocketOption<?>> supportedOptions() {
        return SocketOptions.ofStream(family);
    }

    /** Bytes that can be read without waiting. */
    int available() throws IOException {
        synchronized (stateLock) {
            ensureConnected();
            return inputClosed ? 0 : SunNet.available(fd);
        }
    }

    /** Waits for reads and writes under way to end. */
    void configureBlocking(boolean block) throws IOException {
        claimBoth();
        try {
            synchronized (stateLock) {
                ensureOpen();
                SunNet.configureBlocking(fd, block);
            }
            blocking = block;
        } finally {
            releaseBoth();
        }
    }

    // ---- half-close and close ----

    void shutdownInput() throws IOException {
        synchronized (stateLock) {
            ensureConnected();
            if (!inputClosed) {
                SunNet.shutdownInput(fd); // a waiting read sees the end
                inputClosed = true;
            }
        }
    }

    void shutdownOutput() throws IOException {
        synchronized (stateLock) {
            ensureConnected();
            if (!outputClosed) {
                SunNet.shutdownOutput(fd); // a waiting write fails
                outputClosed = true;
            }
        }
    }

    @Override
    final void setClosing() {
        boolean connected = state == CONNECTED;
        if (addressesOutliveClose) {
            localAddressOrNull();
        }
        state = CLOSING;
        if (connected && host.shutsDownBeforeClose()) {
            shutdownUnlessDiscarding(false);
        }
    }

    /**
     * Lets the peer see the end even if somebody else has the descriptor, too. Not if close is set
     * to discard what is unsent and reset the connection (a linger interval of 0).
     */
    private void shutdownUnlessDiscarding(boolean stopLingering) {
        try {
            int linger = (int) SunNet.getOption(fd, StandardSocketOptions.SO_LINGER);
            if (linger > 0 && stopLingering) {
                SunNet.setOption(fd, StandardSocketOptions.SO_LINGER, -1);
            }
            if (linger != 0) {
                SunNet.shutdownOutput(fd);
            }
        } catch (IOException e) {
            // the close that follows says all that the peer needs to know
        }
    }

    @Override
    final void keptBySelector() {
        // meanwhile the peer must not wait, nor close linger
        if (remoteAddress != null) {
            shutdownUnlessDiscarding(true);
        }
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        synchronized (stateLock) {
            switch (state) {
                case UNCONNECTED -> text.append("unconnected");
                case PENDING -> text.append("connection-pending");
                case CONNECTED -> {
                    text.append("connected");
                    text.append(inputClosed ? " ishut" : "");
                    text.append(outputClosed ? " oshut" : "");
                }
                default -> {
                    return "closed";
                }
            }
            SocketAddress local = localAddressOrNull();
            if (local != null) {
                text.append(" local=").append(local);
            }
            if (remoteAddress != null) {
                text.append(" remote=").append(remoteAddress);
            }
        }
        return text.toString();
    }
}
