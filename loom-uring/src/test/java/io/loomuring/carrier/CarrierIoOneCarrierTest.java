package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** One carrier: what it does not do, nobody does. */
class CarrierIoOneCarrierTest extends CarrierIoContract {
    private static final int READERS = 500; // many times the ring's provided buffers
    private static final int ROUNDS_MAX = 50;
    private static final int HANDED_OVER = 20_000; // operations

    @BeforeAll
    static void install() {
        Installed.install(1, true);
    }

    @Test
    void shouldLoseNoOperationToARescuerThatComesAsItGoesToSleep() throws Exception {
        Carrier carrier =
                Running.onVirtual(() -> (Carrier) JdkInternals.Threads.currentCarrier()).result();
        var done = new AtomicBoolean();
        Running<Void> rescuer =
                Running.onPlatform(() -> {
                    while (!done.get()) {
                        carrier.rescue();
                    }
                });
        Running<Void> others =
                Running.onPlatform(() -> {
                    var op = new Op(_ -> {});
                    for (int i = 0; i < HANDED_OVER; i++) { // each wakes the carrier once more
                        assertThat(op.tryClaim()).isTrue();
                        assertThat(CarrierIo.nop(op)).isZero();
                        op.release();
                    }
                });
        try {
            others.result();
        } finally {
            done.set(true);
        }
        rescuer.result();
    }

    @Test
    void shouldReceiveMoreInOneTurnThanThereAreProvidedBuffers() throws Exception {
        long refused = LoomUring.counters().noProvidedBuffer;
        int round = 0;
        do { // until all arrive in one turn: the watchdog may reap some of them before
            assertThat(round++).as("rounds without a lack of buffers").isLessThan(ROUNDS_MAX);
            receiveInOneTurn();
        } while (LoomUring.counters().noProvidedBuffer == refused);
    }

    private static void receiveInOneTurn() throws Exception {
        List<SocketPair> pairs = new ArrayList<>();
        List<Running<Long>> readers = new ArrayList<>();
        var reading = new AtomicInteger();
        for (int i = 0; i < READERS; i++) {
            SocketPair pair = SocketPair.open();
            pairs.add(pair);
            readers.add(Running.onVirtual(() -> readLong(pair.fd(), reading)));
        }
        Await.until("all read", () -> reading.get() == READERS);
        var hogging = new AtomicBoolean(true);
        Running<Void> hog =
                Running.onVirtual(() -> {
                    while (hogging.get()) {
                        Thread.onSpinWait(); // so that all arrive in one turn
                    }
                });
        for (int i = 0; i < READERS; i++) {
            pairs.get(i).peerSendsLong(i);
        }
        hogging.set(false);
        hog.result();
        for (int i = 0; i < READERS; i++) {
            assertThat(readers.get(i).result()).isEqualTo(i);
        }
        pairs.forEach(SocketPair::close);
    }

    private static long readLong(int fd, AtomicInteger reading) {
        var op = new Op(_ -> {});
        assertThat(op.tryClaim()).isTrue();
        ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
        reading.incrementAndGet();
        assertThat(CarrierIo.recvHeap(op, fd, buffer.array(), 0, Long.BYTES, 0))
                .isEqualTo(Long.BYTES);
        op.release();
        return buffer.getLong(0);
    }
}
