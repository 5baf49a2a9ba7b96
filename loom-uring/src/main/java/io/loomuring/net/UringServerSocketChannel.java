package io.loomuring.net;

import java.io.FileDescriptor;
import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;

/** A {@link ServerSocketChannel} over a {@link ListeningSocket}, which selectors accept. */
public class UringServerSocketChannel extends ServerSocketChannel implements SelectableHost {

    private final ListeningSocket listener;
    private ServerSocket socket; // guarded by this; created on demand

    private UringServerSocketChannel(SelectorProvider provider, ProtocolFamily family)
            throws IOException {
        super(provider);
        listener = new ListeningSocket(this, family);
    }

    /** An inherited socket, which listens. */
    UringServerSocketChannel(SelectorProvider provider, ProtocolFamily family, FileDescriptor fd)
            throws IOException {
        super(provider);
        listener = new ListeningSocket(this, family, fd);
    }

    /** A channel that is not bound. {@code family} is one that can be used. */
    public static ServerSocketChannel open(SelectorProvider provider, ProtocolFamily family)
            throws IOException {
        return new UringServerSocketChannel(provider, family);
    }

    ListeningSocket listener() {
        return listener;
    }

    // ---- accept ----

    @Override
    public SocketChannel accept() throws IOException {
        ListeningSocket.Accepted accepted = listener.accept();
        return accepted == null ? null : channel(accepted);
    }

    /** Accepts with a timeout, 0 for none; in blocking mode only. */
    SocketChannel accept(long timeoutNanos) throws IOException {
        return channel(listener.accept(timeoutNanos));
    }

    private SocketChannel channel(ListeningSocket.Accepted accepted) {
        return new UringSocketChannel(provider(), listener.family(), accepted);
    }

    // ---- bind, options, modes ----

    @Override
    public ServerSocketChannel bind(SocketAddress local, int backlog) throws IOException {
        listener.bind(local, backlog);
        return this;
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
        return listener.getLocalAddress();
    }

    @Override
    public ServerSocket socket() {
        if (listener.family() == StandardProtocolFamily.UNIX) {
            throw new UnsupportedOperationException("Not supported");
        }
        synchronized (this) {
            if (socket == null) {
                socket = new ChannelServerSocket(this);
            }
            return socket;
        }
    }

    @Override
    public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        listener.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return listener.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return listener.supportedOptions();
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        listener.configureBlocking(block);
    }

    // ---- close ----

    @Override
    protected void implCloseSelectableChannel() {
        listener.close();
    }

    // ---- selectors ----

    @Override
    public Endpoint endpoint() {
        return listener;
    }

    @Override
    public String toString() {
        var text = new StringBuilder(getClass().getName()).append('[');
        SocketAddress local = listener.localAddress();
        if (!isOpen()) {
            text.append("closed");
        } else if (local == null) {
            text.append("unbound");
        } else if (listener.family() == StandardProtocolFamily.UNIX) {
            text.append(local);
        }
        return text.append(']').toString();
    }
}
