package io.loomuring.net;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.Set;

/** What {@link UringSocketChannel#socket} returns: the channel, seen as a Socket. */
final class ChannelSocket extends Socket {
    private final UringSocketChannel channel;
    private final StreamSocket stream;
    private volatile int timeoutMillis; // of reads

    private ChannelSocket(UringSocketChannel channel) throws SocketException {
        super(SunNet.dummySocketImpl());
        this.channel = channel;
        this.stream = channel.stream();
    }

    static Socket create(UringSocketChannel channel) {
        channel.stream().keepAddresses();
        try {
            return new ChannelSocket(channel);
        } catch (SocketException e) {
            throw new AssertionError(e); // only a security manager's
        }
    }

    StreamSocket stream() {
        return stream;
    }

    // ---- bind and connect ----

    @Override
    public void connect(SocketAddress remote) throws IOException {
        connect(remote, 0);
    }

    @Override
    public void connect(SocketAddress remote, int timeout) throws IOException {
        if (remote == null) {
            throw new IllegalArgumentException("connect: The address can't be null");
        }
        if (remote instanceof InetSocketAddress inet && inet.isUnresolved()) {
            ensureOpen();
            if (stream.isConnected()) {
                throw new SocketException("Already connected");
            }
            close();
            throw new UnknownHostException(SunNet.hostInfo(remote.toString()));
        }
        if (timeout < 0) {
            throw new IllegalArgumentException("connect: timeout can't be negative");
        }
        try {
            stream.connect(remote, MILLISECONDS.toNanos(timeout));
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    @Override
    public void bind(SocketAddress local) throws IOException {
        try {
            stream.bind(local);
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    private InetSocketAddress local() {
        return (InetSocketAddress) stream.localAddressOrNull();
    }

    private InetSocketAddress remote() {
        return (InetSocketAddress) stream.remoteAddress();
    }

    @Override
    public InetAddress getInetAddress() {
        InetSocketAddress remote = remote();
        return remote == null ? null : remote.getAddress();
    }

    @Override
    public int getPort() {
        InetSocketAddress remote = remote();
        return remote == null ? 0 : remote.getPort();
    }

    @Override
    public InetAddress getLocalAddress() {
        InetSocketAddress local = channel.isOpen() ? local() : null;
        return (local == null ? new InetSocketAddress(0) : local).getAddress();
    }

    @Override
    public int getLocalPort() {
        InetSocketAddress local = local();
        return local == null ? -1 : local.getPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        return remote();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return local();
    }

    @Override
    public SocketChannel getChannel() {
        return channel;
    }

    // ---- streams ----

    @Override
    public InputStream getInputStream() throws IOException {
        ensureConnected();
        if (isInputShutdown()) {
            throw new SocketException("Socket input is shutdown");
        }
        return new SocketStreams.Input(stream, channel, () -> timeoutMillis);
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        ensureConnected();
        if (isOutputShutdown()) {
            throw new SocketException("Socket output is shutdown");
        }
        return new SocketStreams.Output(stream, channel);
    }

    private void ensureOpen() throws SocketException {
        if (!channel.isOpen()) {
            throw new SocketException("Socket is closed");
        }
    }

    private void ensureConnected() throws SocketException {
        ensureOpen();
        if (!stream.isConnected()) {
            throw new SocketException("Socket is not connected");
        }
    }

    @Override
    public void sendUrgentData(int data) throws IOException {
        if (stream.sendUrgent((byte) data) == 0) {
            throw new IOException("Socket buffer full");
        }
    }

    // ---- options ----

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
    public void setTcpNoDelay(boolean on) throws SocketException {
        stream.setSocketOption(StandardSocketOptions.TCP_NODELAY, on);
    }

    @Override
    public boolean getTcpNoDelay() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.TCP_NODELAY);
    }

    @Override
    public void setSoLinger(boolean on, int linger) throws SocketException {
        stream.setSocketOption(StandardSocketOptions.SO_LINGER, on ? linger : -1);
    }

    @Override
    public int getSoLinger() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.SO_LINGER);
    }

    @Override
    public void setOOBInline(boolean on) throws SocketException {
        stream.setSocketOption(SunNet.SO_OOBINLINE, on);
    }

    @Override
    public boolean getOOBInline() throws SocketException {
        return stream.getSocketOption(SunNet.SO_OOBINLINE);
    }

    @Override
    public void setSendBufferSize(int size) throws SocketException {
        if (size <= 0) { // a channel allows 0
            throw new IllegalArgumentException("Invalid send size");
        }
        stream.setSocketOption(StandardSocketOptions.SO_SNDBUF, size);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.SO_SNDBUF);
    }

    @Override
    public void setReceiveBufferSize(int size) throws SocketException {
        if (size <= 0) { // a channel allows 0
            throw new IllegalArgumentException("Invalid receive size");
        }
        stream.setSocketOption(StandardSocketOptions.SO_RCVBUF, size);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public void setKeepAlive(boolean on) throws SocketException {
        stream.setSocketOption(StandardSocketOptions.SO_KEEPALIVE, on);
    }

    @Override
    public boolean getKeepAlive() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.SO_KEEPALIVE);
    }

    @Override
    public void setTrafficClass(int trafficClass) throws SocketException {
        stream.setSocketOption(StandardSocketOptions.IP_TOS, trafficClass);
    }

    @Override
    public int getTrafficClass() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.IP_TOS);
    }

    @Override
    public void setReuseAddress(boolean on) throws SocketException {
        stream.setSocketOption(StandardSocketOptions.SO_REUSEADDR, on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        return stream.getSocketOption(StandardSocketOptions.SO_REUSEADDR);
    }

    @Override
    public <T> Socket setOption(SocketOption<T> name, T value) throws IOException {
        stream.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return stream.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
    }

    // ---- close ----

    @Override
    public void close() throws IOException {
        channel.close();
    }

    @Override
    public void shutdownInput() throws IOException {
        try {
            stream.shutdownInput();
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        try {
            stream.shutdownOutput();
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    @Override
    public boolean isConnected() {
        return stream.isConnected();
    }

    @Override
    public boolean isBound() {
        return local() != null;
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    @Override
    public boolean isInputShutdown() {
        return !stream.isInputOpen();
    }

    @Override
    public boolean isOutputShutdown() {
        return !stream.isOutputOpen();
    }

    @Override
    public String toString() {
        return isConnected()
                ? "Socket[addr="
                        + getInetAddress()
                        + ",port="
                        + getPort()
                        + ",localport="
                        + getLocalPort()
                        + "]"
                : "Socket[unconnected]";
    }
}
