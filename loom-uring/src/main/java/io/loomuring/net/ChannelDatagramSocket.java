package io.loomuring.net;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.jdk.SunDatagrams;
import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What {@link UringDatagramChannel#socket} returns: the channel, seen as a MulticastSocket. Of an
 * uninterruptible channel it is what {@code new DatagramSocket()} delegates to.
 */
@SuppressWarnings("deprecation") // a MulticastSocket has many deprecated methods to override
final class ChannelDatagramSocket extends MulticastSocket {
    private final UringDatagramChannel channel;
    private final UdpSocket udp;
    private volatile int timeoutMillis; // of receive

    /** A packet may be sent with a time to live of its own: nobody may change it meanwhile. */
    private final ReentrantLock timeToLiveLock = new ReentrantLock();

    // What setInterface was given is what getInterface answers
    private final Object interfaceLock = new Object();
    private NetworkInterface interfaceSet; // guarded by interfaceLock
    private InetAddress interfaceAddress; // guarded by interfaceLock

    private ChannelDatagramSocket(UringDatagramChannel channel) throws IOException {
        super(SunDatagrams.noDelegate());
        this.channel = channel;
        this.udp = channel.udp();
    }

    static DatagramSocket create(UringDatagramChannel channel) {
        try {
            return new ChannelDatagramSocket(channel);
        } catch (IOException e) {
            throw new AssertionError(e); // only of a socket that is created here
        }
    }

    // ---- bind and connect ----

    private static InetSocketAddress inet(SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            return inet;
        }
        throw new UnsupportedAddressTypeException();
    }

    @Override
    public void bind(SocketAddress local) throws SocketException {
        InetSocketAddress inet = local == null ? new InetSocketAddress(0) : inet(local);
        try {
            udp.bind(inet);
        } catch (Exception e) {
            throw SunNet.translateToSocketException(e);
        }
    }

    @Override
    public void connect(InetAddress address, int port) {
        if (address == null) {
            throw new IllegalArgumentException("Address can't be null");
        }
        try {
            connectTo(new InetSocketAddress(address, port));
        } catch (SocketException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void connect(SocketAddress remote) throws SocketException {
        if (remote == null) {
            throw new IllegalArgumentException("Address can't be null");
        }
        connectTo(inet(remote));
    }

    private void connectTo(InetSocketAddress remote) throws SocketException {
        try {
            udp.connect(remote, true);
        } catch (ClosedChannelException e) {
            // nothing is said of it here
        } catch (Exception e) {
            throw SunNet.translateToSocketException(e);
        }
    }

    @Override
    public void disconnect() {
        try {
            udp.disconnect();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isBound() {
        return udp.localAddress() != null;
    }

    @Override
    public boolean isConnected() {
        return udp.remoteAddress() != null;
    }

    @Override
    public InetAddress getInetAddress() {
        InetSocketAddress remote = udp.remoteAddress();
        return remote == null ? null : remote.getAddress();
    }

    @Override
    public int getPort() {
        InetSocketAddress remote = udp.remoteAddress();
        return remote == null ? -1 : remote.getPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        return udp.remoteAddress();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return isClosed() ? null : udp.localAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
        if (isClosed()) {
            return null;
        }
        InetSocketAddress local = udp.localAddress();
        return local == null ? anyLocalAddress() : local.getAddress();
    }

    private static InetAddress anyLocalAddress() {
        return new InetSocketAddress(0).getAddress();
    }

    @Override
    public int getLocalPort() {
        if (isClosed()) {
            return -1;
        }
        InetSocketAddress local = udp.localAddress();
        return local == null ? 0 : local.getPort();
    }

    @Override
    public DatagramChannel getChannel() {
        return channel;
    }

    // ---- transfers ----

    @Override
    public void send(DatagramPacket packet) throws IOException {
        try {
            synchronized (packet) {
                udp.send(packet);
            }
        } catch (AlreadyConnectedException e) {
            throw new IllegalArgumentException("Connected and packet address differ", e);
        } catch (ClosedChannelException e) {
            throw closed(e);
        }
    }

    @Override
    public void receive(DatagramPacket packet) throws IOException {
        try {
            synchronized (packet) {
                udp.receive(packet, MILLISECONDS.toNanos(timeoutMillis));
            }
        } catch (SocketTimeoutException | ClosedByInterruptException e) {
            throw e;
        } catch (InterruptedIOException e) {
            assert Thread.currentThread().isVirtual();
            if (Thread.currentThread().isInterrupted()) {
                close();
                throw new SocketException("Closed by interrupt", e);
            }
            throw e;
        } catch (ClosedChannelException e) {
            throw closed(e);
        }
    }

    private static SocketException closed(ClosedChannelException e) {
        return new SocketException("Socket closed", e);
    }

    @Override
    public void setSoTimeout(int timeout) throws SocketException {
        ensureOpen();
        if (timeout < 0) {
            throw new IllegalArgumentException("timeout < 0");
        }
        timeoutMillis = timeout;
    }

    @Override
    public int getSoTimeout() throws SocketException {
        ensureOpen();
        return timeoutMillis;
    }

    @Override
    public void close() {
        udp.closeQuietly();
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    private void ensureOpen() throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
    }

    // ---- options ----

    @Override
    public <T> DatagramSocket setOption(SocketOption<T> name, T value) throws IOException {
        udp.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return udp.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return udp.supportedOptions();
    }

    @Override
    public void setSendBufferSize(int size) throws SocketException {
        if (size <= 0) { // a channel allows 0
            throw new IllegalArgumentException("Invalid send size");
        }
        udp.setSocketOption(StandardSocketOptions.SO_SNDBUF, size);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        return udp.getSocketOption(StandardSocketOptions.SO_SNDBUF);
    }

    @Override
    public void setReceiveBufferSize(int size) throws SocketException {
        if (size <= 0) { // a channel allows 0
            throw new IllegalArgumentException("Invalid receive size");
        }
        udp.setSocketOption(StandardSocketOptions.SO_RCVBUF, size);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        return udp.getSocketOption(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public void setReuseAddress(boolean on) throws SocketException {
        udp.setSocketOption(StandardSocketOptions.SO_REUSEADDR, on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        return udp.getSocketOption(StandardSocketOptions.SO_REUSEADDR);
    }

    @Override
    public void setBroadcast(boolean on) throws SocketException {
        udp.setSocketOption(StandardSocketOptions.SO_BROADCAST, on);
    }

    @Override
    public boolean getBroadcast() throws SocketException {
        return udp.getSocketOption(StandardSocketOptions.SO_BROADCAST);
    }

    @Override
    public void setTrafficClass(int trafficClass) throws SocketException {
        udp.setSocketOption(StandardSocketOptions.IP_TOS, trafficClass);
    }

    @Override
    public int getTrafficClass() throws SocketException {
        return udp.getSocketOption(StandardSocketOptions.IP_TOS);
    }

    // ---- multicast ----

    @Override
    @SuppressWarnings("removal")
    public void setTTL(byte ttl) throws IOException {
        setTimeToLive(Byte.toUnsignedInt(ttl));
    }

    @Override
    @SuppressWarnings("removal")
    public byte getTTL() throws IOException {
        return (byte) getTimeToLive();
    }

    @Override
    public void setTimeToLive(int ttl) throws IOException {
        timeToLiveLock.lock();
        try {
            udp.setSocketOption(StandardSocketOptions.IP_MULTICAST_TTL, ttl);
        } finally {
            timeToLiveLock.unlock();
        }
    }

    @Override
    public int getTimeToLive() throws IOException {
        timeToLiveLock.lock();
        try {
            return udp.getSocketOption(StandardSocketOptions.IP_MULTICAST_TTL);
        } finally {
            timeToLiveLock.unlock();
        }
    }

    @Override
    @SuppressWarnings("removal")
    public void send(DatagramPacket packet, byte ttl) throws IOException {
        timeToLiveLock.lock();
        try {
            int before = getTimeToLive();
            setTTL(ttl);
            try {
                send(packet);
            } finally {
                setTimeToLive(before);
            }
        } finally {
            timeToLiveLock.unlock();
        }
    }

    @Override
    public void joinGroup(InetAddress group) throws IOException {
        changeMembership("joinGroup", group, this::joinGroup);
    }

    @Override
    public void leaveGroup(InetAddress group) throws IOException {
        changeMembership("leaveGroup", group, this::leaveGroup);
    }

    @Override
    public void joinGroup(SocketAddress address, NetworkInterface interf) throws IOException {
        changeMembership(
                address,
                interf,
                (group, where) -> {
                    if (udp.memberships.find(group, where, null) != null) {
                        throw new SocketException("Already a member of group");
                    }
                    udp.memberships.join(group, where, null);
                });
    }

    @Override
    public void leaveGroup(SocketAddress address, NetworkInterface interf) throws IOException {
        changeMembership(
                address,
                interf,
                (group, where) -> {
                    MembershipKey key = udp.memberships.find(group, where, null);
                    if (key == null) {
                        throw new SocketException("Not a member of group");
                    }
                    key.drop();
                });
    }

    /** Joins or leaves a group. */
    @FunctionalInterface
    private interface Change<A> {
        void of(A group, NetworkInterface where) throws IOException;
    }

    private static void changeMembership(
            String what, InetAddress group, Change<SocketAddress> change) throws IOException {
        Objects.requireNonNull(group);
        try {
            change.of(new InetSocketAddress(group, 0), null);
        } catch (IllegalArgumentException e) {
            throw new SocketException(what + " failed", e);
        }
    }

    private void changeMembership(
            SocketAddress address, NetworkInterface interf, Change<InetAddress> change)
            throws IOException {
        InetAddress group = checkGroup(address);
        NetworkInterface where = interf == null ? getNetworkInterface() : interf;
        ensureOpen();
        synchronized (this) {
            change.of(group, where);
        }
    }

    private static InetAddress checkGroup(SocketAddress address) throws SocketException {
        if (!(address instanceof InetSocketAddress inet)) {
            throw new IllegalArgumentException("Unsupported address type");
        }
        InetAddress group = inet.getAddress();
        if (group == null) {
            throw new IllegalArgumentException("Unresolved address");
        }
        if (!group.isMulticastAddress()) {
            throw new SocketException("Not a multicast address");
        }
        return group;
    }

    @Override
    public void setInterface(InetAddress address) throws SocketException {
        if (address == null) {
            throw new SocketException("Invalid value 'null'");
        }
        NetworkInterface interf = NetworkInterface.getByInetAddress(address);
        if (interf == null) {
            String host = SunNet.hostInfo(address.getHostAddress());
            throw new SocketException("No network interface found with address " + host);
        }
        synchronized (interfaceLock) {
            setNetworkInterface(interf);
            interfaceSet = interf;
            interfaceAddress = address;
        }
    }

    @Override
    public InetAddress getInterface() throws SocketException {
        synchronized (interfaceLock) {
            NetworkInterface interf = udp.getSocketOption(StandardSocketOptions.IP_MULTICAST_IF);
            if (interf == null) {
                return anyLocalAddress();
            }
            if (!interf.equals(interfaceSet)) { // set in another way since
                interfaceSet = interf;
                interfaceAddress = interf.inetAddresses().findFirst().orElse(null);
            }
            return interfaceAddress;
        }
    }

    @Override
    public void setNetworkInterface(NetworkInterface interf) throws SocketException {
        udp.setSocketOption(StandardSocketOptions.IP_MULTICAST_IF, interf);
    }

    @Override
    public NetworkInterface getNetworkInterface() throws SocketException {
        NetworkInterface interf = udp.getSocketOption(StandardSocketOptions.IP_MULTICAST_IF);
        return interf == null ? SunDatagrams.anyInterface(anyLocalAddress()) : interf;
    }

    @Override
    public void setLoopbackMode(boolean disable) throws SocketException {
        udp.setSocketOption(StandardSocketOptions.IP_MULTICAST_LOOP, !disable);
    }

    @Override
    public boolean getLoopbackMode() throws SocketException {
        return !udp.getSocketOption(StandardSocketOptions.IP_MULTICAST_LOOP);
    }
}
