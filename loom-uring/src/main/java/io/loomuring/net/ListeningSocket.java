package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.SOCK_CLOEXEC;

import static java.net.StandardProtocolFamily.UNIX;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetBoundException;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A socket that accepts connections: the blocking logic behind channels and sockets alike, as
 * {@link StreamSocket} is for connections. Accept belongs to the thread that claimed the {@code
 * Op}; everything else changes under {@code stateLock}.
 */
final class ListeningSocket extends Endpoint {
    /** A new connection's descriptor, in blocking mode, and its peer. */
    record Accepted(FileDescriptor fd, SocketAddress remote) {}

    private static final int DEFAULT_BACKLOG = 50;
    private static final int UNIX_BIND_ATTEMPTS = 10; // to find a temporary name

    // Layout of the area that the kernel writes the peer's address to
    private static final int ADDRLEN = Sockaddr.SIZE;
    private static final int AREA_BYTES = ADDRLEN + Long.BYTES;

    /** Kept reachable by this object, and this object by its operation while that is in flight. */
    private final MemorySegment area = Arena.ofAuto().allocate(AREA_BYTES, Long.BYTES);

    private volatile SocketAddress localAddress; // stateLock to change; null if not bound

    /** Accepts that were left to the kernel: each may be woken in the place of those after it. */
    private final AtomicInteger left = new AtomicInteger();

    /** A new socket. */
    ListeningSocket(Host host, ProtocolFamily family) throws IOException {
        super(1, host, family, SunNet.serverSocket(family));
    }

    /** A socket that listens already. */
    ListeningSocket(Host host, ProtocolFamily family, FileDescriptor fd) throws IOException {
        super(1, host, family, fd);
        localAddress = SunNet.localAddress(family, fd);
    }

    @Override
    public void leftToKernel() {
        left.incrementAndGet();
    }

    @Override
    public void backFromKernel() {
        left.decrementAndGet();
    }

    @Override
    public boolean isLeftToKernel() {
        return left.get() > 0;
    }

    // ---- state ----

    /** Null if not bound; also after close. */
    SocketAddress localAddress() {
        return localAddress;
    }

    /** Null if not bound. Fails as a closed socket does. */
    SocketAddress getLocalAddress() throws IOException {
        ensureOpen();
        return localAddress;
    }

    // ---- accept ----

    /** As {@code ServerSocketChannel.accept}: null if in non-blocking mode and there is none. */
    Accepted accept() throws IOException {
        claim(readOp);
        try {
            ensureOpen();
            return blocking ? acceptWaiting(NO_TIMEOUT) : acceptNow();
        } finally {
            release(readOp);
        }
    }

    /**
     * Accepts, in blocking mode only.
     *
     * @param timeoutNanos 0 for none
     * @throws java.net.SocketTimeoutException if it elapses
     */
    Accepted accept(long timeoutNanos) throws IOException {
        long remainingNanos = claim(readOp, timeoutNanos);
        if (remainingNanos == TIMED_OUT) {
            throw IoExceptions.acceptTimedOut();
        }
        try {
            if (!blocking) {
                throw new IllegalBlockingModeException();
            }
            ensureOpen();
            return acceptWaiting(remainingNanos);
        } finally {
            release(readOp);
        }
    }

    private Accepted acceptWaiting(long timeoutNanos) throws IOException {
        checkInterrupt();
        ensureBound();
        long address = area.address();
        int n;
        do {
            Memory.putInt(address + ADDRLEN, Sockaddr.SIZE);
            n =
                    CarrierIo.accept(
                            readOp, fdVal, address, address + ADDRLEN, SOCK_CLOEXEC, timeoutNanos);
        } while (n == -ECONNABORTED); // it went away while it waited for us: not our caller's
        Accepted accepted = n >= 0 ? accepted(n) : null;
        try {
            checkInterrupt();
        } catch (ClosedByInterruptException e) {
            if (accepted != null) {
                Shim.close(n);
            }
            throw e;
        }
        if (accepted == null) {
            checkEnded(readOp);
            throw readOp.cancelReason() == Op.DEADLINE
                    ? IoExceptions.acceptTimedOut()
                    : IoExceptions.io(n);
        }
        return accepted;
    }

    private Accepted acceptNow() throws IOException {
        ensureBound();
        long address = area.address();
        int n;
        do {
            Memory.putInt(address + ADDRLEN, Sockaddr.SIZE);
            n = Shim.accept(fdVal, address, address + ADDRLEN, SOCK_CLOEXEC);
        } while (n == -ECONNABORTED);
        if (n >= 0) {
            return accepted(n);
        }
        if (n == -EAGAIN || n == -EINTR) {
            return null;
        }
        throw IoExceptions.io(n);
    }

    private void ensureBound() {
        if (localAddress == null) {
            throw new NotYetBoundException();
        }
    }

    private Accepted accepted(int newFd) {
        long address = area.address();
        SocketAddress remote = Sockaddr.get(address, Memory.getInt(address + ADDRLEN));
        return new Accepted(SunNet.newFd(newFd), remote);
    }

    // ---- bind, options, modes ----

    /** As {@code ServerSocketChannel.bind}. */
    void bind(SocketAddress local, int backlog) throws IOException {
        synchronized (stateLock) {
            bindOnly(local);
            listen(backlog);
            localAddress = SunNet.localAddress(family, fd);
        }
    }

    /** Binds; {@link #listen} is to follow. */
    void bind(SocketAddress local) throws IOException {
        synchronized (stateLock) {
            bindOnly(local);
            localAddress = SunNet.localAddress(family, fd);
        }
    }

    private void bindOnly(SocketAddress local) throws IOException {
        assert Thread.holdsLock(stateLock);
        ensureOpen();
        if (localAddress != null) {
            throw new AlreadyBoundException();
        }
        if (family == UNIX) {
            bindUnix(local);
        } else {
            bindInet(local);
        }
    }

    /** Lets connections wait for accept. */
    void listen(int backlog) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            SunNet.listen(fd, backlog < 1 ? DEFAULT_BACKLOG : backlog);
        }
    }

    private void bindUnix(SocketAddress local) throws IOException {
        if (local != null) {
            SunNet.bind(fd, SunNet.checkUnixAddress(local).getPath());
            return;
        }
        for (int attempt = 0; attempt < UNIX_BIND_ATTEMPTS; attempt++) {
            try {
                SunNet.bind(fd, SunNet.temporaryName().getPath());
                return;
            } catch (BindException e) {
                // the name is taken: try another
            }
        }
        throw new BindException("Could not bind to temporary name");
    }

    private void bindInet(SocketAddress local) throws IOException {
        InetSocketAddress inet =
                local == null
                        ? new InetSocketAddress(SunNet.anyLocalAddress(family), 0)
                        : SunNet.checkAddress(local, family);
        SunNet.bind(family, fd, inet);
    }

    @Override
    Set<SocketOption<?>> supportedOptions() {
        return SocketOptions.ofListener(family);
    }

    /** Waits for an accept under way to end. */
    void configureBlocking(boolean block) throws IOException {
        claim(readOp);
        try {
            synchronized (stateLock) {
                ensureOpen();
                SunNet.configureBlocking(fd, block);
            }
            blocking = block;
        } finally {
            release(readOp);
        }
    }
}
