package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.abi.SocketAbi;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Pin;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;

/** One carrier, and on it a virtual thread that waits for I/O and can't leave it. */
class PinnedThreadTest {
    private static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Arena arena = Arena.ofShared();
    private final SocketPair pair = SocketPair.open();
    private Running<Integer> receiver;

    @BeforeAll
    static void install() {
        Installed.install(1, true);
    }

    @AfterEach
    void free() throws Exception {
        pair.peerShutsDown(); // whatever happened, the only carrier is free for the next test
        receiver.result();
        pair.close();
        arena.close();
    }

    private void startPinnedRecv(Pin pin, Op op, long timeoutNanos) {
        receiver =
                Running.onVirtual(() ->
                        pin.call(() -> {
                            assertThat(op.tryClaim()).isTrue();
                            return recv(op, timeoutNanos);
                        }));
        Await.until(
                "the receive is in flight or has ended", () -> op.inFlight() || receiver.isDone());
    }

    private int recv(Op op, long timeoutNanos) {
        return CarrierIo.recv(op, pair.fd(), arena.allocate(8).address(), 8, 0, timeoutNanos);
    }

    private static Op op() {
        return new Op(_ -> {});
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveWhatComesFromOutside(Pin pin) throws Exception {
        startPinnedRecv(pin, op(), 0);
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveWhatAPlatformThreadSendsByTheSameCarrier(Pin pin) throws Exception {
        startPinnedRecv(pin, op(), 0);
        Op send = op();
        assertThat(send.tryClaim()).isTrue();
        Running<Integer> sender =
                Running.onPlatform(() ->
                        CarrierIo.send(
                                send,
                                pair.peer(),
                                arena.allocate(1).address(),
                                1,
                                SocketAbi.MSG_NOSIGNAL));
        assertThat(sender.result()).isOne();
        assertThat(receiver.result()).isOne();
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndAtItsTimeout(Pin pin) throws Exception {
        Op op = op();
        startPinnedRecv(pin, op, SHORT_NANOS);
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(Op.DEADLINE);
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndWhenAnotherThreadCancels(Pin pin) throws Exception {
        Op op = op();
        startPinnedRecv(pin, op, 0);
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndByAnInterruptIfTheOwnerCancels(Pin pin) throws Exception {
        var op = new Op(mine -> mine.cancel(Op.INTERRUPT));
        startPinnedRecv(pin, op, 0);
        receiver.thread().interrupt();
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(Op.INTERRUPT);
    }
}
