package io.loomuring.net;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;

/** What {@link UringServerSocketChannel#socket} returns: the channel, seen as a ServerSocket. */
final class ChannelServerSocket extends ServerSocket {
    private static final int DEFAULT_BACKLOG = 50;

    private final UringServerSocketChannel channel;
    private volatile int timeoutMillis; // of accept

    ChannelServerSocket(UringServerSocketChannel channel) {
        super(SunNet.dummySocketImpl());
        this.channel = channel;
    }

    @Override
    public void bind(SocketAddress local) throws IOException {
        bind(local, DEFAULT_BACKLOG);
    }

    @Override
    public void bind(SocketAddress local, int backlog) throws IOException {
        try {
            channel.bind(local == null ? new InetSocketAddress(0) : local, backlog);
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    @Override
    public InetAddress getInetAddress() {
        var local = (InetSocketAddress) channel.listener().localAddress();
        return local == null ? null : local.getAddress();
    }

    @Override
    public int getLocalPort() {
        var local = (InetSocketAddress) channel.listener().localAddress();
        return local == null ? -1 : local.getPort();
    }

    @Override
    public Socket accept() throws IOException {
        try {
            long timeoutNanos = MILLISECONDS.toNanos(timeoutMillis);
            // without a timeout, a non-blocking channel is asked, too
            SocketChannel accepted =
                    timeoutNanos > 0 ? channel.accept(timeoutNanos) : channel.accept();
            if (accepted == null) {
                throw new IllegalBlockingModeException();
            }
            return accepted.socket();
        } catch (Exception e) {
            throw SunNet.translate(e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    @Override
    public ServerSocketChannel getChannel() {
        return channel;
    }

    @Override
    public boolean isBound() {
        return channel.listener().localAddress() != null;
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    private void ensureOpen() throws SocketException {
        if (!channel.isOpen()) {
            throw new SocketException("Socket is closed");
        }
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
    public void setReuseAddress(boolean on) throws SocketException {
        channel.listener().setSocketOption(StandardSocketOptions.SO_REUSEADDR, on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        return channel.listener().getSocketOption(StandardSocketOptions.SO_REUSEADDR);
    }

    @Override
    public void setReceiveBufferSize(int size) throws SocketException {
        if (size <= 0) { // a channel allows 0
            throw new IllegalArgumentException("size cannot be 0 or negative");
        }
        channel.listener().setSocketOption(StandardSocketOptions.SO_RCVBUF, size);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        return channel.listener().getSocketOption(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public <T> ServerSocket setOption(SocketOption<T> name, T value) throws IOException {
        channel.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return channel.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
    }

    @Override
    public String toString() {
        return isBound()
                ? "ServerSocket[addr=" + getInetAddress() + ",localport=" + getLocalPort() + "]"
                : "ServerSocket[unbound]";
    }
}
