package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** Close and interrupt, while a thread waits and before it does. */
@Timeout(60) // seconds a test; interrupts it
class AsyncCloseTest {

    private static final int BIG = 1 << 20;

    @ParameterizedTest
    @MethodSource("io.loomuring.net.WaitingCall#ofAllByTwoThreads")
    void shouldFailAWaitingCallWhenAnotherThreadCloses(
            Provider provider, ThreadKind waiter, ThreadKind closer, WaitingCall call)
            throws Exception {
        WaitingCall.Waiting waiting = call.prepare(provider);
        try (waiting) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            Attempt.start(
                            closer,
                            () -> {
                                waiting.target().close();
                                return null;
                            })
                    .get();
            if (call.isOfSocket()) {
                assertThat(attempt.failure())
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Socket closed");
            } else {
                assertThat(attempt.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
            }
            assertThat(attempt.endedInterrupted()).isFalse();
            assertThatThrownBy(waiting.call()::call).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.WaitingCall#ofChannels")
    void shouldCloseAndFailAWaitingCallWhenInterrupted(
            Provider provider, ThreadKind waiter, WaitingCall call) throws Exception {
        WaitingCall.Waiting waiting = call.prepare(provider);
        try (waiting) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            attempt.thread().interrupt();
            assertInterrupted(attempt, waiting);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.WaitingCall#ofChannels")
    void shouldCloseAndFailAtOnceWhenInterruptedBefore(
            Provider provider, ThreadKind waiter, WaitingCall call) throws Exception {
        WaitingCall.Waiting waiting = call.prepare(provider);
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

    private static void assertInterrupted(Attempt<?> attempt, WaitingCall.Waiting waiting) {
        assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
        assertThat(attempt.endedInterrupted()).isTrue();
        assertThat(waiting.isClosed()).isTrue();
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
