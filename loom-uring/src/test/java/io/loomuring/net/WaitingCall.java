package io.loomuring.net;

import org.junit.jupiter.params.provider.Arguments;

import java.io.Closeable;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Calls that wait, of channels and of sockets. */
enum WaitingCall {
    READ,
    READ_DIRECT,
    SCATTER,
    WRITE,
    WRITE_DIRECT,
    GATHER,
    ACCEPT,
    ACCEPT_UNIX,
    CONNECT,
    FINISH_CONNECT,
    STREAM_READ,
    STREAM_READ_TIMED,
    STREAM_WRITE,
    ACCEPT_TIMED,
    PIPE_READ,
    PIPE_SCATTER,
    PIPE_WRITE,
    PIPE_GATHER,
    SOCKET_READ,
    SOCKET_READ_TIMED,
    SOCKET_WRITE,
    SOCKET_ACCEPT,
    SOCKET_ACCEPT_TIMED,
    SOCKET_CONNECT,
    SOCKET_CONNECT_TIMED;

    Waiting prepare(Provider provider) throws IOException {
        return switch (this) {
            case READ -> onConnection(provider, false, c -> c.read(ByteBuffer.allocate(1)));
            case READ_DIRECT ->
                    onConnection(provider, false, c -> c.read(ByteBuffer.allocateDirect(1)));
            case SCATTER -> onConnection(provider, false, c -> c.read(mixed(2)));
            case WRITE -> onConnection(provider, true, c -> c.write(ByteBuffer.allocate(BIG)));
            case WRITE_DIRECT ->
                    onConnection(provider, true, c -> c.write(ByteBuffer.allocateDirect(BIG)));
            case GATHER -> onConnection(provider, true, c -> c.write(mixed(BIG)));
            case ACCEPT -> onListener(provider.listener(), ServerSocketChannel::accept);
            case ACCEPT_UNIX ->
                    onListener(
                            provider.listener(StandardProtocolFamily.UNIX),
                            ServerSocketChannel::accept);
            case CONNECT -> onConnect(provider, false);
            case FINISH_CONNECT -> onConnect(provider, true);
            case STREAM_READ ->
                    onConnection(provider, false, c -> c.socket().getInputStream().read());
            case STREAM_READ_TIMED ->
                    onConnection(
                            provider,
                            false,
                            c -> {
                                c.socket().setSoTimeout(LONG_MILLIS);
                                return c.socket().getInputStream().read();
                            });
            case STREAM_WRITE ->
                    onConnection(
                            provider,
                            true,
                            c -> {
                                c.socket().getOutputStream().write(new byte[BIG]);
                                return null;
                            });
            case ACCEPT_TIMED ->
                    onListener(
                            provider.listener(),
                            c -> {
                                c.socket().setSoTimeout(LONG_MILLIS);
                                return c.socket().accept();
                            });
            case PIPE_READ -> onSource(provider, c -> c.read(ByteBuffer.allocate(1)));
            case PIPE_SCATTER -> onSource(provider, c -> c.read(mixed(2)));
            case PIPE_WRITE -> onSink(provider, c -> c.write(ByteBuffer.allocate(BIG)));
            case PIPE_GATHER -> onSink(provider, c -> c.write(mixed(BIG)));
            case SOCKET_READ -> onSocket(provider, 0, s -> s.getInputStream().read());
            case SOCKET_READ_TIMED ->
                    onSocket(provider, LONG_MILLIS, s -> s.getInputStream().read());
            case SOCKET_WRITE ->
                    onSocket(
                            provider,
                            0,
                            s -> {
                                s.getOutputStream().write(new byte[16 * BIG]);
                                return null;
                            });
            case SOCKET_ACCEPT -> onServerSocket(provider, 0);
            case SOCKET_ACCEPT_TIMED -> onServerSocket(provider, LONG_MILLIS);
            case SOCKET_CONNECT -> onSocketConnect(provider, 0);
            case SOCKET_CONNECT_TIMED -> onSocketConnect(provider, LONG_MILLIS);
        };
    }

    /** Something that waits, and what is to be closed. */
    record Waiting(Closeable target, Callable<?> call, Closeable rest) implements AutoCloseable {
        boolean isClosed() {
            return switch (target) {
                case Channel channel -> !channel.isOpen();
                case Socket socket -> socket.isClosed();
                case ServerSocket server -> server.isClosed();
                default -> throw new AssertionError(target);
            };
        }

        @Override
        public void close() throws IOException {
            rest.close();
            target.close();
        }
    }

    /** Whether it is one of {@code java.net}, not of a channel. */
    boolean isOfSocket() {
        return name().startsWith("SOCKET_");
    }

    private static final int LONG_MILLIS = 60_000;
    private static final int BIG = 1 << 20;

    private interface Body<C> {
        Object on(C channel) throws Exception;
    }

    private static ByteBuffer[] mixed(int size) {
        return new ByteBuffer[] {
            ByteBuffer.allocate(size), ByteBuffer.allocateDirect(size), ByteBuffer.allocate(size)
        };
    }

    private static Waiting onConnection(Provider provider, boolean full, Body<SocketChannel> body)
            throws IOException {
        Provider.Pair pair = provider.pair();
        if (full) {
            pair.fill();
        }
        return new Waiting(pair.client(), () -> body.on(pair.client()), pair);
    }

    private static Waiting onSource(Provider provider, Body<Pipe.SourceChannel> body)
            throws IOException {
        Provider.OpenPipe pipe = provider.pipe();
        return new Waiting(pipe.source(), () -> body.on(pipe.source()), pipe);
    }

    private static Waiting onSink(Provider provider, Body<Pipe.SinkChannel> body)
            throws IOException {
        Provider.OpenPipe pipe = provider.pipe().fill();
        return new Waiting(pipe.sink(), () -> body.on(pipe.sink()), pipe);
    }

    private static Waiting onListener(ServerSocketChannel listener, Body<ServerSocketChannel> body)
            throws IOException {
        var path =
                listener.getLocalAddress() instanceof UnixDomainSocketAddress unix
                        ? unix.getPath()
                        : null;
        return new Waiting(
                listener,
                () -> body.on(listener),
                () -> {
                    listener.close();
                    if (path != null) {
                        Files.delete(path);
                    }
                });
    }

    private static Waiting onConnect(Provider provider, boolean finish) throws IOException {
        SocketChannel channel = provider.socket();
        if (!finish) {
            return new Waiting(channel, () -> channel.connect(Silence.ADDRESS), channel);
        }
        channel.configureBlocking(false);
        channel.connect(Silence.ADDRESS);
        channel.configureBlocking(true);
        return new Waiting(channel, channel::finishConnect, channel);
    }

    private static Waiting onSocket(Provider provider, int timeoutMillis, Body<Socket> body)
            throws IOException {
        Provider.PlainPair pair = provider.plainPair();
        pair.client().setSoTimeout(timeoutMillis);
        return new Waiting(pair.client(), () -> body.on(pair.client()), pair);
    }

    private static Waiting onServerSocket(Provider provider, int timeoutMillis) throws IOException {
        ServerSocket server = provider.serverSocket();
        server.setSoTimeout(timeoutMillis);
        return new Waiting(server, server::accept, server);
    }

    private static Waiting onSocketConnect(Provider provider, int timeoutMillis)
            throws IOException {
        Socket socket = provider.plainSocket();
        SocketAddress silence = Silence.ADDRESS; // takes some time to make
        return new Waiting(
                socket,
                () -> {
                    socket.connect(silence, timeoutMillis);
                    return null;
                },
                socket);
    }

    // ---- parameters of tests, after (provider, thread) or (provider, thread, thread) ----

    static Stream<Arguments> ofAllByTwoThreads() {
        return with(Cases.providersAndThreadPairs(), call -> true);
    }

    static Stream<Arguments> ofChannels() {
        return with(Cases.providersAndThreads(), call -> !call.isOfSocket());
    }

    static Stream<Arguments> ofSockets() {
        return with(Cases.providersAndThreads(), WaitingCall::isOfSocket);
    }

    private static Stream<Arguments> with(Stream<Arguments> cases, Predicate<WaitingCall> calls) {
        return cases.flatMap(first ->
                Stream.of(values())
                        .filter(calls)
                        .map(call ->
                                Arguments.of(
                                        Stream.concat(Stream.of(first.get()), Stream.of(call))
                                                .toArray())));
    }
}
