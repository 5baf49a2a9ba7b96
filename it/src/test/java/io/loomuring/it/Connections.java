package io.loomuring.it;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** A listening channel of one family on the loopback interface, and connections made through it. */
final class Connections implements AutoCloseable {
    /** Both ends of a connection. */
    record Pair(SocketChannel client, SocketChannel server) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }

    private static final int BACKLOG = 4096;

    private final StandardProtocolFamily family;
    private final ServerSocketChannel listener;
    private final SocketAddress address;

    Connections(StandardProtocolFamily family) throws IOException {
        this(family, BACKLOG);
    }

    Connections(StandardProtocolFamily family, int backlog) throws IOException {
        this.family = family;
        listener = ServerSocketChannel.open(family);
        listener.bind(anyAddress(family), backlog);
        address = listener.getLocalAddress();
    }

    private static SocketAddress anyAddress(StandardProtocolFamily family) throws IOException {
        return switch (family) {
            case INET -> new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
            case INET6 -> new InetSocketAddress(InetAddress.ofLiteral("::1"), 0);
            case UNIX -> {
                Path path = Files.createTempFile("loom-uring-it-", ".socket");
                Files.delete(path); // bind makes it
                yield UnixDomainSocketAddress.of(path);
            }
        };
    }

    /** Another listening channel of the same family. */
    Connections another() throws IOException {
        return new Connections(family);
    }

    ServerSocketChannel listener() {
        return listener;
    }

    SocketAddress address() {
        return address;
    }

    /** A connected channel whose other end nobody has accepted yet. */
    SocketChannel connect() throws IOException {
        return SocketChannel.open(address);
    }

    /** A new connection; for one thread at a time. */
    Pair open() throws IOException {
        SocketChannel client = connect();
        return new Pair(client, listener.accept());
    }

    boolean isTcp() {
        return family != StandardProtocolFamily.UNIX;
    }

    /** Makes a later close of a TCP connection reset it: nothing lingers in TIME_WAIT. */
    void resetOnClose(SocketChannel channel) throws IOException {
        if (isTcp() && channel.isOpen()) {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        if (address instanceof UnixDomainSocketAddress unix) {
            Files.deleteIfExists(unix.getPath());
        }
    }
}
