package io.loomuring.net;

import io.loomuring.LoomUring;
import io.loomuring.UringSelectorProvider;

import sun.nio.ch.DefaultSelectorProvider;
import sun.nio.ch.NioSocketImpl;

import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.Files;
import java.util.concurrent.locks.LockSupport;

/** Whose channels a test is about. The JDK's are the oracle: what holds for ours holds for them. */
enum Provider {
    OURS,
    JDK;

    private static final SelectorProvider URING = new UringSelectorProvider();

    SelectorProvider get() {
        return this == OURS ? URING : DefaultSelectorProvider.get();
    }

    SocketChannel socket() throws IOException {
        return get().openSocketChannel();
    }

    SocketChannel socket(ProtocolFamily family) throws IOException {
        return get().openSocketChannel(family);
    }

    /** A socket that listens at a port of the loopback interface. */
    ServerSocketChannel listener() throws IOException {
        return get().openServerSocketChannel()
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    ServerSocketChannel listener(ProtocolFamily family) throws IOException {
        ServerSocketChannel listener = get().openServerSocketChannel(family);
        if (family == StandardProtocolFamily.UNIX) {
            return listener.bind(null);
        }
        String host = family == StandardProtocolFamily.INET ? "127.0.0.1" : "::1";
        return listener.bind(new InetSocketAddress(InetAddress.ofLiteral(host), 0));
    }

    // ---- datagrams ----

    DatagramChannel datagram() throws IOException {
        return get().openDatagramChannel();
    }

    /** A channel that is bound to a port of the loopback interface. */
    DatagramChannel datagram(ProtocolFamily family) throws IOException {
        String host = family == StandardProtocolFamily.INET ? "127.0.0.1" : "::1";
        return get().openDatagramChannel(family)
                .bind(new InetSocketAddress(InetAddress.ofLiteral(host), 0));
    }

    /** Two channels that are connected to each other. */
    DatagramPair datagramPair() throws IOException {
        DatagramChannel one = datagram(StandardProtocolFamily.INET);
        DatagramChannel other = datagram(StandardProtocolFamily.INET);
        one.connect(other.getLocalAddress());
        other.connect(one.getLocalAddress());
        return new DatagramPair(one, other);
    }

    /** Both ends. */
    record DatagramPair(DatagramChannel one, DatagramChannel other) implements Closeable {
        @Override
        public void close() throws IOException {
            one.close();
            other.close();
        }
    }

    /** What {@code new DatagramSocket} delegates to: a socket at a port of the loopback. */
    DatagramSocket datagramSocket() throws IOException {
        LoomUring.install();
        DatagramSocket socket = this == OURS ? new DatagramSocket(null) : jdkDatagramSocket();
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0));
        return socket;
    }

    private static DatagramSocket jdkDatagramSocket() {
        try {
            Class<?> type = Class.forName("sun.nio.ch.DatagramChannelImpl");
            return ((DatagramChannel)
                            MethodHandles.privateLookupIn(type, MethodHandles.lookup())
                                    .findConstructor(
                                            type,
                                            MethodType.methodType(
                                                    void.class,
                                                    SelectorProvider.class,
                                                    boolean.class))
                                    .invoke(DefaultSelectorProvider.get(), false))
                    .socket();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    // ---- sockets that are no channels ----

    private static final class JdkSocket extends Socket {
        JdkSocket() throws IOException {
            super(new NioSocketImpl(false));
        }
    }

    private static final class JdkServerSocket extends ServerSocket {
        JdkServerSocket() {
            super(new NioSocketImpl(true));
        }
    }

    /** A {@code Socket} that is neither bound nor connected. */
    Socket plainSocket() throws IOException {
        return this == OURS ? new Socket() : new JdkSocket();
    }

    /** A {@code ServerSocket} that is not bound. */
    ServerSocket unboundServerSocket() throws IOException {
        return this == OURS ? new ServerSocket() : new JdkServerSocket();
    }

    /** A {@code ServerSocket} at a port of the loopback interface. */
    ServerSocket serverSocket() throws IOException {
        ServerSocket server = unboundServerSocket();
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return server;
    }

    /** Two connected sockets. */
    PlainPair plainPair() throws IOException {
        try (ServerSocket server = serverSocket()) {
            Socket client = plainSocket();
            client.connect(server.getLocalSocketAddress());
            return new PlainPair(client, server.accept());
        }
    }

    /** A connection's ends. */
    record PlainPair(Socket client, Socket server) implements Closeable {
        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }

    OpenPipe pipe() throws IOException {
        Pipe pipe = get().openPipe();
        return new OpenPipe(pipe.source(), pipe.sink());
    }

    /** A pipe's ends. */
    record OpenPipe(Pipe.SourceChannel source, Pipe.SinkChannel sink) implements Closeable {
        /** Writes until the pipe takes no byte more. */
        OpenPipe fill() throws IOException {
            sink.configureBlocking(false);
            while (sink.write(ByteBuffer.allocate(1 << 12)) > 0) {
                // there may be room for more
            }
            sink.configureBlocking(true);
            return this;
        }

        @Override
        public void close() throws IOException {
            source.close();
            sink.close();
        }
    }

    /** Two connected channels. */
    Pair pair() throws IOException {
        try (ServerSocketChannel listener = listener()) {
            return connect(listener, socket());
        }
    }

    Pair pair(ProtocolFamily family) throws IOException {
        try (ServerSocketChannel listener = listener(family)) {
            Pair pair = connect(listener, socket(family));
            if (listener.getLocalAddress() instanceof UnixDomainSocketAddress unix) {
                Files.delete(unix.getPath());
            }
            return pair;
        }
    }

    private static Pair connect(ServerSocketChannel listener, SocketChannel client)
            throws IOException {
        client.connect(listener.getLocalAddress());
        return new Pair(client, listener.accept());
    }

    /** A connection's ends. */
    record Pair(SocketChannel client, SocketChannel server) implements Closeable {
        /** Writes from the client until the connection takes no byte more. */
        Pair fill() throws IOException {
            client.setOption(StandardSocketOptions.SO_SNDBUF, 1 << 14); // or it would grow
            server.setOption(StandardSocketOptions.SO_RCVBUF, 1 << 14);
            client.configureBlocking(false);
            int refused = 0;
            while (refused < 100) { // what was sent a moment ago may make room once more
                if (client.write(ByteBuffer.allocateDirect(1 << 16)) > 0) {
                    refused = 0;
                } else {
                    refused++;
                    LockSupport.parkNanos(100_000);
                }
            }
            client.configureBlocking(true);
            return this;
        }

        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }
}
