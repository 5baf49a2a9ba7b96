package io.loomuring.net;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;

import io.loomuring.jdk.SunNet;

import sun.nio.ch.DefaultSelectorProvider;

import java.io.IOException;
import java.lang.ref.Cleaner.Cleanable;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.nio.channels.spi.SelectorProvider;
import java.util.Objects;
import java.util.Set;

/** A {@link DatagramChannel} over a {@link UdpSocket}, which selectors accept. */
public final class UringDatagramChannel extends DatagramChannel implements SelectableHost {

    private final boolean interruptible;
    private final UdpSocket udp;
    private final Cleanable descriptor;
    private DatagramSocket socket; // guarded by this; created on demand

    private UringDatagramChannel(
            SelectorProvider provider, ProtocolFamily family, boolean interruptible)
            throws IOException {
        super(provider);
        this.interruptible = interruptible;
        udp = new UdpSocket(this, family);
        descriptor = udp.closer(this);
    }

    /** A channel that is not bound. {@code family} is an IP one that can be used. */
    public static DatagramChannel open(SelectorProvider provider, ProtocolFamily family)
            throws IOException {
        return new UringDatagramChannel(provider, family, true);
    }

    /** What is behind a {@code DatagramSocket} of {@code java.net}: no interrupt closes it. */
    public static DatagramChannel openUninterruptible() throws IOException {
        ProtocolFamily family = SunNet.isIPv6Available() ? INET6 : INET;
        return new UringDatagramChannel(DefaultSelectorProvider.get(), family, false);
    }

    UdpSocket udp() {
        return udp;
    }

    // ---- transfers ----

    @Override
    public SocketAddress receive(ByteBuffer dst) throws IOException {
        return udp.receive(dst);
    }

    @Override
    public int send(ByteBuffer src, SocketAddress target) throws IOException {
        return udp.send(src, target);
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        return udp.read(dst);
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        return udp.read(dsts, offset, length);
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        return udp.write(src);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return udp.write(srcs, offset, length);
    }

    // ---- bind, connect, groups ----

    @Override
    public DatagramChannel bind(SocketAddress local) throws IOException {
        udp.bind(local);
        return this;
    }

    @Override
    public DatagramChannel connect(SocketAddress remote) throws IOException {
        udp.connect(remote, false);
        return this;
    }

    @Override
    public DatagramChannel disconnect() throws IOException {
        udp.disconnect();
        return this;
    }

    @Override
    public boolean isConnected() {
        return udp.isConnected();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
        return udp.getLocalAddress();
    }

    @Override
    public SocketAddress getRemoteAddress() throws IOException {
        return udp.getRemoteAddress();
    }

    @Override
    public MembershipKey join(InetAddress group, NetworkInterface interf) throws IOException {
        return udp.memberships.join(group, interf, null);
    }

    @Override
    public MembershipKey join(InetAddress group, NetworkInterface interf, InetAddress source)
            throws IOException {
        return udp.memberships.join(group, interf, Objects.requireNonNull(source));
    }

    @Override
    public DatagramSocket socket() {
        synchronized (this) {
            if (socket == null) {
                socket = ChannelDatagramSocket.create(this);
            }
            return socket;
        }
    }

    // ---- options and modes ----

    @Override
    public <T> DatagramChannel setOption(SocketOption<T> name, T value) throws IOException {
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
    protected void implConfigureBlocking(boolean block) throws IOException {
        udp.configureBlocking(block);
    }

    // ---- close ----

    @Override
    protected void implCloseSelectableChannel() {
        udp.close();
    }

    @Override
    public void closeDescriptor(int fdVal) {
        descriptor.clean();
    }

    @Override
    public boolean isChannel() {
        return interruptible;
    }

    // ---- selectors ----

    @Override
    public Endpoint endpoint() {
        return udp;
    }
}
