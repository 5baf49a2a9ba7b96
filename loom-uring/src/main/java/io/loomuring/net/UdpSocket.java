package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.*;

import static java.net.StandardProtocolFamily.INET;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Message;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.JdkInternals.NativeMemory;
import io.loomuring.jdk.SunDatagrams;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.IOException;
import java.lang.ref.Cleaner.Cleanable;
import java.net.DatagramPacket;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetConnectedException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * A datagram socket: the blocking logic behind channels and their socket adaptors, as {@link
 * StreamSocket} is for connections.
 *
 * <pre>
 *                     connect
 *     UNCONNECTED &lt;------------&gt; CONNECTED          close, from either: CLOSING
 *                    disconnect
 * </pre>
 *
 * A direction belongs to the thread that claimed its {@code Op}. Connect, disconnect, bind and a
 * change of the blocking mode claim both; the state changes under {@code stateLock}, with which
 * nobody waits. A call that finds the socket unbound binds it to a port that the system chooses.
 *
 * <p>A datagram is received whole or cut to the room there is, never in parts. A receiver of a heap
 * buffer that waits holds no memory: what arrives lies in the carrier's buffers. If it wants more
 * than one of those holds, it waits for readiness first.
 */
final class UdpSocket extends Endpoint {
    static final int EOF = -1;

    /** What the kernel is asked for at most: no datagram is larger. */
    private static final int LENGTH_MAX = 64 * 1024;

    private static final int SEND_NOW = MSG_DONTWAIT | MSG_NOSIGNAL;

    // The socket's own native memory: headers of a message each way, the last sender's address
    private static final int IN = 0;
    private static final int OUT = IN + Message.SIZE;
    private static final int SENDER = OUT + Message.SIZE;
    private static final int SENDER_BYTES = 32; // any IP address, and zeros
    private static final int SPARE = SENDER + SENDER_BYTES; // where a datagram goes without room
    private static final int AREA_BYTES = SPARE + Long.BYTES;

    static {
        assert LENGTH_MAX <= Scratch.SIZE && SIZEOF_SOCKADDR_IN6 <= SENDER_BYTES;
    }

    private static final LongAdder areas = new LongAdder();

    /**
     * Freed with the descriptor, so never while an operation is claimed: only claimers use it. An
     * arena's own cleaner would be one more for each socket, run by the collector.
     */
    private final long area;

    private final AtomicInteger areaUsers = new AtomicInteger(1); // the descriptor, left requests

    private final long in;
    private final long out;
    private final long senderCopy;

    private InetSocketAddress sender; // what senderCopy says; by readOp's claimer
    private InetSocketAddress target; // what out is addressed to; by writeOp's claimer

    private volatile InetSocketAddress localAddress; // stateLock to change; null if not bound
    private volatile InetSocketAddress remoteAddress; // stateLock to change; null if unconnected
    private InetSocketAddress addressBeforeConnect; // guarded by stateLock

    final Memberships memberships;

    UdpSocket(UringDatagramChannel host, ProtocolFamily family) throws IOException {
        super(2, host, family, SunDatagrams.socket(family));
        memberships = new Memberships(host, this);
        try {
            area = NativeMemory.allocate(AREA_BYTES);
        } catch (OutOfMemoryError e) {
            closeDescriptor(fdVal);
            throw e;
        }
        areas.increment();
        in = area + IN;
        out = area + OUT;
        senderCopy = area + SENDER;
        Message.init(in);
        Message.init(out);
    }

    @Override
    Cleanable closer(Object owner) {
        int number = fdVal;
        long address = area;
        AtomicInteger users = areaUsers;
        return SunNet.whenUnreachable(
                owner,
                () -> {
                    closeDescriptor(number);
                    endUse(users, address);
                });
    }

    private static void endUse(AtomicInteger users, long address) {
        if (users.decrementAndGet() == 0) {
            NativeMemory.free(address);
            areas.decrement();
        }
    }

    @Override
    public void leftToKernel() {
        areaUsers.incrementAndGet();
    }

    @Override
    public void backFromKernel() {
        endUse(areaUsers, area);
    }

    /** How many sockets have their memory: those that are neither closed nor collected. */
    static long areas() {
        return areas.sum();
    }

    // ---- state ----

    boolean isConnected() {
        return remoteAddress != null && !isClosing();
    }

    /** Null if not bound; also after close. */
    InetSocketAddress localAddress() {
        return localAddress;
    }

    /** Null if not connected; also after close. */
    InetSocketAddress remoteAddress() {
        return remoteAddress;
    }

    boolean isIPv6() {
        return family != INET;
    }

    // ---- receive and read ----

    /** As {@code DatagramChannel.receive}: null if in non-blocking mode and there is none. */
    InetSocketAddress receive(ByteBuffer dst) throws IOException {
        checkWritable(dst);
        claim(readOp);
        try {
            begin(false);
            int n = arrive(dst);
            return endReceive(n, true) < 0 ? null : sender();
        } finally {
            release(readOp);
        }
    }

    /**
     * Receives into a packet whose lock the caller has, in blocking mode only.
     *
     * @param timeoutNanos 0 for none; counted from when it is the caller's turn
     * @throws java.net.SocketTimeoutException if it elapses
     */
    void receive(DatagramPacket packet, long timeoutNanos) throws IOException {
        claim(readOp);
        try {
            ensureOpen();
            ensureBlocking();
            begin(false);
            byte[] bytes = packet.getData();
            int n;
            do {
                int room = SunDatagrams.room(packet);
                n = arrive(bytes, packet.getOffset(), room, timeoutNanos);
            } while (isStale(n));
            endReceive(n, true);
            SunDatagrams.setLength(packet, n);
            packet.setSocketAddress(sender());
        } finally {
            release(readOp);
        }
    }

    /** As {@code DatagramChannel.read}. */
    int read(ByteBuffer dst) throws IOException {
        Objects.requireNonNull(dst);
        claim(readOp);
        try {
            begin(true);
            checkWritable(dst);
            return dst.hasRemaining() ? readResult(arrive(dst)) : 0;
        } finally {
            release(readOp);
        }
    }

    /** As {@code DatagramChannel.read}. */
    long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, dsts.length);
        claim(readOp);
        try {
            begin(true);
            int to = rowEnd(dsts, offset, offset + length);
            for (int i = offset; i < to; i++) {
                checkWritable(dsts[i]);
            }
            int size = remaining(dsts, offset, to);
            return size == 0 ? 0 : readResult(scatterWaiting(dsts, offset, to, size));
        } finally {
            release(readOp);
        }
    }

    private static void checkWritable(ByteBuffer dst) {
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
    }

    /**
     * What comes before every transfer, once it is the caller's turn.
     *
     * @param connected whether it is for connected sockets only
     */
    private void begin(boolean connected) throws IOException {
        ensureOpen();
        if (blocking) {
            checkInterrupt();
        }
        if (connected && remoteAddress == null) {
            throw new NotYetConnectedException();
        }
        if (localAddress == null) {
            synchronized (stateLock) {
                ensureOpen();
                if (localAddress == null) { // the other direction may have come first
                    bindTo(null);
                }
            }
        }
    }

    private void ensureBlocking() {
        if (!blocking) {
            throw new IllegalBlockingModeException();
        }
    }

    /**
     * Whether the call is not to wait. A socket that no interrupt closes gives an interrupted
     * thread what can be had at once.
     */
    private boolean isImmediate() {
        return !blocking || (!host.isChannel() && Thread.currentThread().isInterrupted());
    }

    /** An error left by a datagram that was sent before the socket was disconnected. */
    private boolean isStale(int n) {
        return n == -ECONNREFUSED && remoteAddress == null;
    }

    /** Takes a datagram, and moves the position; bytes, or {@code -errno}. */
    private int arrive(ByteBuffer dst) {
        int position = dst.position();
        int length = Math.min(dst.remaining(), LENGTH_MAX);
        int n;
        do {
            if (dst.isDirect() && length > 0) {
                long address = SunNet.acquire(dst);
                try {
                    n = arrive(address + position, length, NO_TIMEOUT);
                } finally {
                    SunNet.release(dst);
                }
            } else {
                byte[] array = length == 0 ? null : dst.array();
                int arrayPosition = length == 0 ? 0 : dst.arrayOffset() + position;
                n = arrive(array, arrayPosition, length, NO_TIMEOUT);
            }
        } while (isStale(n));
        if (n > 0) {
            dst.position(position + n);
        }
        return n;
    }

    private int arrive(byte[] array, int offset, int length, long timeoutNanos) {
        if (length == 0) {
            return Math.min(0, arrive(area + SPARE, 1, timeoutNanos));
        }
        int size = Math.min(length, LENGTH_MAX);
        if (isImmediate()) {
            int n = arriveNow(array, offset, size);
            if (n != -EAGAIN || !blocking) {
                return n;
            }
        }
        Message.nameLength(in, Sockaddr.SIZE);
        return CarrierIo.recvmsgHeap(readOp, fdVal, in, array, offset, size, timeoutNanos);
    }

    private int arriveNow(byte[] array, int offset, int length) {
        Scratch scratch = Scratch.take();
        try {
            int n = arriveNow(scratch.address, length);
            if (n > 0) {
                scratch.buffer.get(0, array, offset, n);
            }
            return n;
        } finally {
            scratch.release();
        }
    }

    private int arrive(long address, int length, long timeoutNanos) {
        if (isImmediate()) {
            int n = arriveNow(address, length);
            if (n != -EAGAIN || !blocking) {
                return n;
            }
        }
        Message.data(in, address, length);
        Message.nameLength(in, Sockaddr.SIZE);
        return CarrierIo.recvmsg(readOp, fdVal, in, 0, timeoutNanos);
    }

    private int arriveNow(long address, int length) {
        Message.data(in, address, length);
        Message.nameLength(in, Sockaddr.SIZE);
        return Shim.recvmsg(fdVal, in, MSG_DONTWAIT);
    }

    /** Waits holding no memory; bytes, or {@code -errno}. */
    private int scatterWaiting(ByteBuffer[] dsts, int from, int to, int size) {
        int n = scatter(dsts, from, to, size);
        while (n == -EAGAIN && blocking) {
            int revents = CarrierIo.poll(readOp, fdVal, POLLIN, NO_TIMEOUT);
            n = revents < 0 ? revents : scatter(dsts, from, to, size);
        }
        return n;
    }

    private int scatter(ByteBuffer[] dsts, int from, int to, int size) {
        Scratch scratch = Scratch.take();
        try {
            int n =
                    blocking
                            ? CarrierIo.recv(
                                    readOp, fdVal, scratch.address, size, MSG_DONTWAIT, NO_TIMEOUT)
                            : Shim.recv(fdVal, scratch.address, size, MSG_DONTWAIT);
            int taken = 0;
            for (int i = from; i < to && taken < n; i++) {
                ByteBuffer dst = dsts[i];
                int part = Math.min(dst.remaining(), n - taken);
                dst.put(dst.position(), scratch.buffer, taken, part);
                dst.position(dst.position() + part);
                taken += part;
            }
            return n;
        } finally {
            scratch.release();
        }
    }

    /** Says how a receive ended that took {@code n}; negative only in non-blocking mode. */
    private int endReceive(int n, boolean addressed) throws IOException {
        if (blocking) {
            checkInterrupt();
            if (n < 0 || (n == 0 && isClosing())) {
                checkEnded(readOp);
            }
            if (n == -ECANCELED && readOp.cancelReason() == Op.DEADLINE) {
                throw IoExceptions.receiveTimedOut();
            }
        } else if (n == -EAGAIN || n == -EINTR) {
            return n;
        }
        if (n < 0) {
            throw IoExceptions.datagram(n, addressed);
        }
        return n;
    }

    /** To the JDK's channels an empty datagram that is read is the end. */
    private int readResult(int n) throws IOException {
        int read = endReceive(n, false);
        return read > 0 ? read : read == 0 ? EOF : 0;
    }

    /** The sender of what was just received: the same object as long as it is the same sender. */
    private InetSocketAddress sender() {
        long name = Message.name(in);
        boolean same = sender != null;
        for (int i = 0; i < SENDER_BYTES && same; i += Long.BYTES) {
            same = Memory.getLong(name + i) == Memory.getLong(senderCopy + i);
        }
        if (!same) {
            sender = (InetSocketAddress) Sockaddr.get(name, Message.nameLength(in));
            for (int i = 0; i < SENDER_BYTES; i += Long.BYTES) {
                Memory.putLong(senderCopy + i, Memory.getLong(name + i));
            }
        }
        return sender;
    }

    // ---- send and write ----

    /** As {@code DatagramChannel.send}. */
    int send(ByteBuffer src, SocketAddress to) throws IOException {
        Objects.requireNonNull(src);
        InetSocketAddress inet = SunNet.checkAddress(to, family);
        claim(writeOp);
        try {
            begin(false);
            boolean addressed = address(inet);
            if (!addressed && !src.hasRemaining()) {
                return 0; // as a write
            }
            return endSend(depart(src, addressed), addressed);
        } finally {
            release(writeOp);
        }
    }

    /** Sends a packet whose lock the caller has, in blocking mode only. */
    void send(DatagramPacket packet) throws IOException {
        claim(writeOp);
        try {
            ensureOpen();
            ensureBlocking();
            byte[] bytes = packet.getData();
            int length = packet.getLength();
            InetSocketAddress inet = SunNet.checkAddress(recipient(packet), family);
            begin(false);
            boolean addressed = address(inet);
            if (addressed || length > 0) {
                endSend(depart(null, bytes, packet.getOffset(), length, addressed), addressed);
            }
        } finally {
            release(writeOp);
        }
    }

    /** The packet's own address, or the peer's, which the packet is given. */
    @SuppressWarnings("ReferenceEquality") // equal addresses may differ in scope
    private InetSocketAddress recipient(DatagramPacket packet) {
        if (packet.getAddress() == null) {
            InetSocketAddress remote = remoteAddress;
            if (remote == null) {
                throw new IllegalArgumentException("Address not set");
            }
            packet.setAddress(remote.getAddress());
            packet.setPort(remote.getPort());
            return remote;
        }
        InetSocketAddress last = target;
        return last != null
                        && last.getAddress() == packet.getAddress()
                        && last.getPort() == packet.getPort()
                ? last
                : (InetSocketAddress) packet.getSocketAddress();
    }

    /** As {@code DatagramChannel.write}. */
    int write(ByteBuffer src) throws IOException {
        Objects.requireNonNull(src);
        claim(writeOp);
        try {
            begin(true);
            return src.hasRemaining() ? endSend(depart(src, false), false) : 0;
        } finally {
            release(writeOp);
        }
    }

    /** As {@code DatagramChannel.write}: one datagram of all that remains. */
    long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, srcs.length);
        claim(writeOp);
        try {
            begin(true);
            int to = rowEnd(srcs, offset, offset + length);
            int size = remaining(srcs, offset, to);
            if (size == 0) {
                return 0;
            }
            int n;
            do {
                n = gather(srcs, offset, to, size);
            } while (n == -EAGAIN && blocking && (n = awaitRoom()) == 0);
            for (int i = offset; i < to && n > 0; i++) {
                srcs[i].position(srcs[i].limit());
            }
            return endSend(n, false);
        } finally {
            release(writeOp);
        }
    }

    /**
     * Makes {@code out} a message to an address, unless the socket is connected to it.
     *
     * @return whether the message needs its address
     */
    @SuppressWarnings("ReferenceEquality") // equal addresses may differ in scope
    private boolean address(InetSocketAddress to) throws IOException {
        InetSocketAddress remote = remoteAddress;
        if (remote != null) {
            if (!to.equals(remote)) {
                throw new AlreadyConnectedException();
            }
            return false;
        }
        if (to.getPort() == 0) {
            throw new SocketException("Can't send to port 0");
        }
        if (to != target) {
            target = null;
            long name = Message.name(out);
            for (int i = 0; i < SENDER_BYTES; i += Long.BYTES) {
                Memory.putLong(name + i, 0);
            }
            Message.nameLength(out, Sockaddr.put(name, to, isIPv6()));
            target = to;
        }
        return true;
    }

    /** Sends what remains, and moves the position; bytes, or {@code -errno}. */
    private int depart(ByteBuffer src, boolean addressed) {
        int n = depart(src, null, 0, src.remaining(), addressed);
        if (n > 0) {
            src.position(src.position() + n);
        }
        return n;
    }

    /** Sends a datagram from a buffer, or else an array; bytes, or {@code -errno}. */
    private int depart(ByteBuffer src, byte[] array, int offset, int length, boolean addressed) {
        int size = Math.min(length, LENGTH_MAX); // enough for the kernel to refuse it
        int n;
        do {
            if (src != null && src.isDirect()) {
                long address = SunNet.acquire(src);
                try {
                    n = depart(address + src.position(), size, addressed);
                } finally {
                    SunNet.release(src);
                }
            } else {
                n = departCopied(src, array, offset, size, addressed);
            }
        } while (n == -EAGAIN && blocking && (n = awaitRoom()) == 0);
        return isStale(n) ? length : n; // as if it were lost: what was refused is an earlier one
    }

    private int departCopied(
            ByteBuffer src, byte[] array, int offset, int size, boolean addressed) {
        Scratch scratch = Scratch.take();
        try {
            if (src != null) {
                scratch.buffer.put(0, src, src.position(), size);
            } else {
                scratch.buffer.put(0, array, offset, size);
            }
            return depart(scratch.address, size, addressed);
        } finally {
            scratch.release();
        }
    }

    private int gather(ByteBuffer[] srcs, int from, int to, int size) {
        Scratch scratch = Scratch.take();
        try {
            int filled = 0;
            for (int i = from; i < to && filled < size; i++) {
                int part = Math.min(srcs[i].remaining(), size - filled);
                scratch.buffer.put(filled, srcs[i], srcs[i].position(), part);
                filled += part;
            }
            return depart(scratch.address, size, false);
        } finally {
            scratch.release();
        }
    }

    /** One attempt. */
    private int depart(long address, int length, boolean addressed) {
        boolean now = isImmediate();
        if (!addressed) {
            return now
                    ? Shim.send(fdVal, address, length, SEND_NOW)
                    : CarrierIo.send(writeOp, fdVal, address, length, SEND_NOW);
        }
        Message.data(out, address, length);
        return now
                ? Shim.sendmsg(fdVal, out, SEND_NOW)
                : CarrierIo.sendmsg(writeOp, fdVal, out, SEND_NOW);
    }

    /** 0, or {@code -errno}. */
    private int awaitRoom() {
        return Math.min(0, CarrierIo.poll(writeOp, fdVal, POLLOUT, NO_TIMEOUT));
    }

    /** Bytes sent, 0 if there is no room in non-blocking mode. */
    private int endSend(int n, boolean addressed) throws IOException {
        if (blocking) {
            checkInterrupt();
            if (n < 0) {
                checkEnded(writeOp);
            }
        } else if (n == -EAGAIN || n == -EINTR) {
            return 0;
        }
        if (n < 0) {
            throw IoExceptions.datagram(n, addressed);
        }
        return n;
    }

    // ---- rows of buffers ----

    /** Where the row ends: what is beyond {@code IOV_MAX} buffers that are not empty is left. */
    private static int rowEnd(ByteBuffer[] buffers, int from, int to) {
        int vectors = 0;
        int i = from;
        while (i < to && vectors < IOV_MAX) {
            vectors += buffers[i].hasRemaining() ? 1 : 0;
            i++;
        }
        return i;
    }

    private static int remaining(ByteBuffer[] buffers, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += buffers[i].remaining();
        }
        return (int) Math.min(sum, LENGTH_MAX);
    }

    // ---- bind, connect, disconnect ----

    /** As {@code DatagramChannel.bind}. */
    void bind(SocketAddress local) throws IOException {
        claimBoth();
        try {
            synchronized (stateLock) {
                ensureOpen();
                if (localAddress != null) {
                    throw new AlreadyBoundException();
                }
                bindTo(local);
            }
        } finally {
            releaseBoth();
        }
    }

    private void bindTo(SocketAddress local) throws IOException {
        assert Thread.holdsLock(stateLock);
        SunDatagrams.bind(
                family, fd, local == null ? wildcard(0) : SunNet.checkAddress(local, family));
        localAddress = kernelsAddress();
    }

    private InetSocketAddress wildcard(int port) {
        return isIPv6()
                ? new InetSocketAddress(port)
                : new InetSocketAddress(SunNet.anyLocalAddress(family), port);
    }

    private InetSocketAddress kernelsAddress() throws IOException {
        return (InetSocketAddress) SunNet.localAddress(family, fd);
    }

    /**
     * As {@code DatagramChannel.connect}.
     *
     * @param again whether a connected socket may be connected, to the same peer or another
     */
    void connect(SocketAddress remote, boolean again) throws IOException {
        InetSocketAddress inet = SunNet.checkAddress(remote, family);
        claimBoth();
        try {
            synchronized (stateLock) {
                ensureOpen();
                if (!again && remoteAddress != null) {
                    throw new AlreadyConnectedException();
                }
                if (inet.getPort() == 0) {
                    throw new SocketException("Can't connect to port 0");
                }
                InetSocketAddress before = localAddress;
                try {
                    boolean connected = SunNet.connect(family, fd, inet);
                    assert connected;
                    remoteAddress = inet;
                } finally {
                    localAddress = kernelsAddress(); // also if it failed: it binds what is not
                }
                addressBeforeConnect = before != null ? before : wildcard(localAddress.getPort());
                discardReceived();
            }
        } finally {
            releaseBoth();
        }
    }

    /** What others have sent before is not to be read from the peer. */
    private void discardReceived() throws IOException {
        int n;
        do {
            n = Shim.recv(fdVal, area + SPARE, 1, MSG_DONTWAIT);
        } while (n >= 0 || n == -ECONNREFUSED || n == -EINTR);
        if (n != -EAGAIN) {
            throw IoExceptions.datagram(n, true);
        }
    }

    /** As {@code DatagramChannel.disconnect}. */
    void disconnect() throws IOException {
        if (isClosing()) {
            return;
        }
        claimBoth();
        try {
            synchronized (stateLock) {
                if (!isConnected()) {
                    return;
                }
                SunDatagrams.disconnect(fd, isIPv6());
                remoteAddress = null;
                InetSocketAddress before = addressBeforeConnect;
                addressBeforeConnect = null;
                localAddress = kernelsAddress();
                if (!localAddress.equals(before)) { // Linux forgets a port that it has chosen
                    SunDatagrams.bind(family, fd, before);
                    localAddress = kernelsAddress();
                }
            }
        } finally {
            releaseBoth();
        }
    }

    // ---- options and modes ----

    /** Null if not bound. Fails as a closed socket does. */
    SocketAddress getLocalAddress() throws IOException {
        ensureOpen();
        return localAddress;
    }

    /** Null if not connected. Fails as a closed socket does. */
    SocketAddress getRemoteAddress() throws IOException {
        ensureOpen();
        return remoteAddress;
    }

    @Override
    Set<SocketOption<?>> supportedOptions() {
        return SocketOptions.DATAGRAM;
    }

    @Override
    void set(SocketOption<?> name, Object value) throws IOException {
        if (!StandardSocketOptions.IP_MULTICAST_IF.equals(name)) {
            super.set(name, value);
            return;
        }
        synchronized (stateLock) {
            ensureOpen();
            SunDatagrams.setInterface(fd, isIPv6(), (NetworkInterface) value);
        }
    }

    @Override
    Object get(SocketOption<?> name) throws IOException {
        if (!StandardSocketOptions.IP_MULTICAST_IF.equals(name)) {
            return super.get(name);
        }
        synchronized (stateLock) {
            ensureOpen();
            return SunDatagrams.getInterface(fd, isIPv6());
        }
    }

    /** Waits for transfers under way to end. */
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

    // ---- close ----

    /** Its memberships end. */
    @Override
    void setClosing() {
        super.setClosing();
        memberships.invalidateAll();
    }
}
