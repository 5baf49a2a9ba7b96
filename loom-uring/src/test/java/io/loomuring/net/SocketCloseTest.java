package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.Closeable;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** Close and interrupt, while a thread waits in a call of Socket or ServerSocket. */
@Timeout(60) // seconds a test; interrupts it
class SocketCloseTest {
    private static final int BIG = 1 << 24; // more than a connection holds
    private static final int LONG_MILLIS = 60_000;

    /** Something that waits, and what is to be closed. */
    private record Waiting(Closeable socket, Callable<?> call, Closeable rest)
            implements AutoCloseable {
        boolean isClosed() {
            return socket instanceof Socket s ? s.isClosed() : ((ServerSocket) socket).isClosed();
        }

        @Override
        public void close() throws IOException {
            rest.close();
            socket.close();
        }
    }

    /** Calls that wait. */
    enum Call {
        READ,
        READ_TIMED,
        WRITE,
        ACCEPT,
        ACCEPT_TIMED,
        CONNECT,
        CONNECT_TIMED;

        private Waiting prepare(Provider provider) throws IOException {
            return switch (this) {
                case READ, READ_TIMED -> {
                    var pair = provider.plainPair();
                    pair.client().setSoTimeout(this == READ ? 0 : LONG_MILLIS);
                    var in = pair.client().getInputStream();
                    yield new Waiting(pair.client(), () -> in.read(), pair);
                }
                case WRITE -> {
                    var pair = provider.plainPair();
                    var out = pair.client().getOutputStream();
                    yield new Waiting(
                            pair.client(),
                            () -> {
                                out.write(new byte[BIG]);
                                return null;
                            },
                            pair);
                }
                case ACCEPT, ACCEPT_TIMED -> {
                    ServerSocket server = provider.serverSocket();
                    server.setSoTimeout(this == ACCEPT ? 0 : LONG_MILLIS);
                    yield new Waiting(server, server::accept, server);
                }
                case CONNECT, CONNECT_TIMED -> {
                    Socket socket = provider.plainSocket();
                    int timeout = this == CONNECT ? 0 : LONG_MILLIS;
                    SocketAddress silence = Silence.ADDRESS; // takes some time to make
                    yield new Waiting(
                            socket,
                            () -> {
                                socket.connect(silence, timeout);
                                return null;
                            },
                            socket);
                }
            };
        }
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
        try (Waiting waiting = call.prepare(provider)) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            Attempt.start(
                            closer,
                            () -> {
                                waiting.socket().close();
                                return null;
                            })
                    .get();
            assertThat(attempt.failure())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket closed");
            assertThat(attempt.endedInterrupted()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldEndAVirtualThreadsWaitByAnInterruptAndNoOthers(
            Provider provider, ThreadKind waiter, Call call) throws Exception {
        try (Waiting waiting = call.prepare(provider)) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            attempt.thread().interrupt();
            if (waiter == ThreadKind.PLATFORM) {
                Thread.sleep(20);
                assertThat(attempt.isDone()).isFalse();
                assertThat(waiting.isClosed()).isFalse();
                waiting.socket().close();
                assertThat(attempt.failure()).hasMessage("Socket closed");
            } else {
                assertThat(attempt.failure())
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Closed by interrupt");
                assertThat(waiting.isClosed()).isTrue();
            }
            assertThat(attempt.endedInterrupted()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldEndAVirtualThreadsWaitAtOnceWhenInterruptedBefore(
            Provider provider, ThreadKind waiter, Call call) throws Exception {
        if (waiter == ThreadKind.PLATFORM) {
            return; // deaf: it would wait
        }
        try (Waiting waiting = call.prepare(provider)) {
            var attempt =
                    Attempt.start(
                            waiter,
                            () -> {
                                Thread.currentThread().interrupt();
                                return waiting.call().call();
                            });
            assertThat(attempt.failure())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Closed by interrupt");
            assertThat(attempt.endedInterrupted()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldReadWhatIsThereAlthoughInterruptedBefore(Provider provider, ThreadKind thread)
            throws Exception {
        if (provider == Provider.OURS && thread == ThreadKind.FOREIGN) {
            return; // its operation is handed over, and refused when it arrives
        }
        try (var pair = provider.plainPair()) {
            pair.server().getOutputStream().write(3);
            var in = pair.client().getInputStream();
            Attempt.eventually("it has arrived", () -> available(pair.client()) == 1);
            var read =
                    Attempt.start(
                            thread,
                            () -> {
                                Thread.currentThread().interrupt();
                                return in.read();
                            });
            assertThat(read.get()).isEqualTo(3);
            assertThat(read.endedInterrupted()).isTrue();
        }
    }

    private static int available(Socket socket) {
        try {
            return socket.getInputStream().available();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldShowThePeerTheEndWhenClosedWhileWaiting(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.plainPair()) {
            var in = pair.client().getInputStream();
            var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.client().close();
            assertThat(pair.server().getInputStream().read()).isEqualTo(-1);
            read.failure();
        }
    }
}
