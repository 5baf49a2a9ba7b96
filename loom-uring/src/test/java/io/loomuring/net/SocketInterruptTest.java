package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;

/**
 * Interrupts, while a thread waits in a call of Socket or ServerSocket and before it does; what
 * close does is in {@link AsyncCloseTest}.
 */
@Timeout(60) // seconds a test; interrupts it
class SocketInterruptTest {
    @ParameterizedTest
    @MethodSource("io.loomuring.net.WaitingCall#ofSockets")
    void shouldEndAVirtualThreadsWaitByAnInterruptAndNoOthers(
            Provider provider, ThreadKind waiter, WaitingCall call) throws Exception {
        try (WaitingCall.Waiting waiting = call.prepare(provider)) {
            var attempt = Attempt.start(waiter, waiting.call()).awaitBlocked();
            attempt.thread().interrupt();
            if (waiter == ThreadKind.PLATFORM) {
                Thread.sleep(20);
                assertThat(attempt.isDone()).isFalse();
                assertThat(waiting.isClosed()).isFalse();
                waiting.target().close();
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
    @MethodSource("io.loomuring.net.WaitingCall#ofSockets")
    void shouldEndAVirtualThreadsWaitAtOnceWhenInterruptedBefore(
            Provider provider, ThreadKind waiter, WaitingCall call) throws Exception {
        if (waiter == ThreadKind.PLATFORM) {
            return; // deaf: it would wait
        }
        try (WaitingCall.Waiting waiting = call.prepare(provider)) {
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
