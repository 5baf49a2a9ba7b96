package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** Close and interrupt, while a thread waits and before it does. */
@Timeout(60) // seconds a test; interrupts it
class AsyncCloseTest {

    /** Something that waits, on a channel that can be closed. */
    record Waiting(NetworkChannel channel, Callable<?> call, Closeable rest)
            implements AutoCloseable {
        @Override
        public void close() throws IOException {
            rest.close();
        }
    }

    /** Calls that wait. */
    enum Call {
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
        ACCEPT_TIMED;

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
                                    c.socket().setSoTimeout(60_000);
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
                                    c.socket().setSoTimeout(60_000);
                                    return c.socket().accept();
                                });
            };
        }
    }

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

    static Stream<Arguments> callsAndThreads() {
        return Cases.providersAndThreads()
                .flatMap(first ->
                        Stream.of(Call.values())
                                .map(call -> Arguments.of(first.get()[0], first.get()[1], call)));
    }

    static Stream<Arguments> callsAndThreadPairs() {
        return Cases.providersAndThreadPairs()
                .flatMap(first ->
                        Stream.of(Call.values())
                                .map(call ->
                                        Arguments.of(
                                                first.get()[0],
                                                first.get()[1],
                                                first.get()[2],
                                                call)));
    }

    @ParameterizedTest
    @MethodSource("callsAndThreadPairs")
    void shouldFailAWaitingCallWhenAnotherThreadCloses(
            Provider provider, ThreadKind waiter, ThreadKind closer, Call call) throws Exception {
        Waiting waiting = call.prepare(provider);
        try (waiting) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            Attempt.start(
                            closer,
                            () -> {
                                waiting.channel().close();
                                return null;
                            })
                    .get();
            assertThat(attempt.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThat(attempt.endedInterrupted()).isFalse();
            assertThatThrownBy(waiting.call()::call).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldCloseAndFailAWaitingCallWhenInterrupted(
            Provider provider, ThreadKind waiter, Call call) throws Exception {
        Waiting waiting = call.prepare(provider);
        try (waiting) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            attempt.thread().interrupt();
            assertInterrupted(attempt, waiting);
        }
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldCloseAndFailAtOnceWhenInterruptedBefore(
            Provider provider, ThreadKind waiter, Call call) throws Exception {
        Waiting waiting = call.prepare(provider);
        try (waiting) {
            var attempt =
                    Attempt.start(
                            waiter,
                            () -> {
                                Thread.currentThread().interrupt();
                                return waiting.call().call();
                            });
            assertInterrupted(attempt, waiting);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldTransferNothingWhenInterruptedBefore(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair();
                var other = provider.pair()) {
            pair.server().write(ByteBuffer.allocate(1));
            ByteBuffer dst = ByteBuffer.allocate(1);
            var read =
                    Attempt.start(
                            thread,
                            () -> {
                                Thread.currentThread().interrupt();
                                return pair.client().read(dst);
                            });
            assertThat(read.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(dst.position()).isZero();
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                Thread.currentThread().interrupt();
                                return other.client().write(ByteBuffer.allocate(1));
                            });
            assertThat(write.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(other.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    private static void assertInterrupted(Attempt<?> attempt, Waiting waiting) {
        assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
        assertThat(attempt.endedInterrupted()).isTrue();
        assertThat(waiting.channel().isOpen()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldFailThoseWhoWaitTheirTurnWhenClosed(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            List<Attempt<?>> readers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                readers.add(
                        Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                                .awaitBlocked());
            }
            pair.client().close();
            for (Attempt<?> reader : readers) {
                // the one that was in the kernel, and those that never got there
                assertThat(reader.failure()).isInstanceOf(ClosedChannelException.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldEndBothDirectionsWhenOneThreadIsInterrupted(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair().fill()) {
            var read =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            var write =
                    Attempt.start(thread, () -> pair.client().write(ByteBuffer.allocate(BIG)))
                            .awaitBlocked();
            write.thread().interrupt();
            assertThat(write.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(read.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThat(read.endedInterrupted()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailAWriteThatWentInPartWhenClosed(ThreadKind thread) throws Exception {
        for (boolean row : new boolean[] {true, false}) {
            try (var pair = Provider.OURS.pair()) {
                ByteBuffer src = ByteBuffer.allocate(16 * BIG);
                ByteBuffer[] srcs = {src, ByteBuffer.allocateDirect(1)};
                var write =
                        Attempt.start(
                                        thread,
                                        () ->
                                                row
                                                        ? pair.client().write(srcs)
                                                        : pair.client().write(src))
                                .awaitBlocked();
                assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(1); // it began
                pair.client().close();
                assertThat(write.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
                assertThat(src.position()).isPositive();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldShowThePeerTheEndWhenClosedWhileWaiting(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            var read =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            pair.client().close();
            assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            read.failure();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldGiveUpAConnectThatTakesTooLong(Provider provider, ThreadKind thread)
            throws Exception {
        try (SocketChannel channel = provider.socket()) {
            var connect =
                    Attempt.start(
                            thread,
                            () -> {
                                channel.socket().connect(Silence.ADDRESS, 50);
                                return null;
                            });
            assertThat(connect.failure())
                    .isExactlyInstanceOf(SocketTimeoutException.class)
                    .hasMessage("Connect timed out");
            assertThat(channel.isOpen()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldCloseAfterAConnectionWasRefused(Provider provider, ThreadKind thread)
            throws Exception {
        InetSocketAddress address;
        try (ServerSocketChannel listener = provider.listener()) {
            address = (InetSocketAddress) listener.getLocalAddress();
        }
        try (SocketChannel channel = provider.socket()) {
            var connect = Attempt.start(thread, () -> channel.connect(address));
            assertThat(connect.failure())
                    .isExactlyInstanceOf(ConnectException.class)
                    .hasMessage("Connection refused");
            assertThat(channel.isOpen()).isFalse();
        }
    }
}
