package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * An owner that receives numbers over many lanes, and cancels some; between any two steps it may
 * stop to look after its ring for a while. Rescuers submit and reap in its stead. Each number must
 * arrive once, in the lane it was sent to.
 */
final class RescueRace {
    private static final int RESCUERS = 2;
    private static final int LANES = 24;
    private static final long DURATION_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long DURATION_NANOS_MAX =
            TimeUnit.SECONDS.toNanos(20); // on a busy machine
    private static final int PAUSE_MAX = 5_000; // spins
    private static final long SHORT_WAIT_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

    private final RingFixture fixture;
    private final Random random;
    private final LongAdder rescued = new LongAdder(); // completions that rescuers reaped
    private volatile boolean done;
    private long received;
    private long cancelled;

    RescueRace(RingFixture fixture, Random random) {
        this.fixture = fixture;
        this.random = random;
    }

    void run() throws Exception {
        List<Running<Void>> rescuers = new ArrayList<>();
        for (int i = 0; i < RESCUERS; i++) {
            long seed = random.nextLong();
            rescuers.add(Running.onPlatform(() -> rescueUntilDone(new Random(seed))));
        }
        List<Lane> lanes = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < LANES; i++) {
                lanes.add(new Lane(i, arena));
            }
            long start = System.nanoTime();
            long nanos = 0;
            while (nanos < DURATION_NANOS || (!sawEverything() && nanos < DURATION_NANOS_MAX)) {
                step(lanes.get(random.nextInt(LANES)));
                nanos = System.nanoTime() - start;
            }
            lanes.forEach(Lane::finish);
        } finally {
            done = true; // rescuers live until what they submitted has ended
        }
        for (Running<Void> rescuer : rescuers) {
            rescuer.result();
        }
        lanes.forEach(lane -> lane.pair.close());
        assertThat(rescued.sum()).as("completions that rescuers reaped").isPositive();
        assertThat(fixture.counters.completions).as("completions").isGreaterThan(rescued.sum());
        assertThat(received).as("numbers received").isPositive();
        assertThat(cancelled).as("receives cancelled").isPositive();
        assertThat(fixture.counters.operations).isEqualTo(received + cancelled);
        assertThat(fixture.counters.staleCompletions).isZero();
        assertThat(fixture.ring.inFlight()).isZero();
    }

    private boolean sawEverything() {
        return rescued.sum() > 0 && received > 0 && cancelled > 0;
    }

    private void rescueUntilDone(Random pauses) {
        while (!done) {
            rescued.add(Math.max(0, fixture.ring.tryRescue()));
            spin(pauses);
        }
    }

    private static void spin(Random random) {
        for (int i = random.nextInt(PAUSE_MAX); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    private void step(Lane lane) {
        switch (random.nextInt(6)) {
            case 0 -> fixture.ring.enter(0);
            case 1 -> fixture.ring.enter(SHORT_WAIT_NANOS);
            case 2 -> spin(random);
            default -> {
                if (!lane.op.inFlight()) {
                    lane.check();
                    lane.start();
                } else if (!lane.sent && random.nextBoolean()) {
                    lane.send();
                } else if (random.nextInt(4) == 0) {
                    lane.op.cancel(Op.CLOSE);
                    fixture.deliverCancels();
                }
            }
        }
    }

    /** A socket pair that carries one number at a time. */
    private final class Lane {
        private final SocketPair pair = SocketPair.open();
        private final Op op = new Op(_ -> {});
        private final ByteBuffer heap = ByteBuffer.allocate(Long.BYTES);
        private final long memory;
        private long number;
        private boolean started;
        private boolean sent;
        private boolean intoHeap;

        Lane(int index, Arena arena) {
            memory = arena.allocate(Long.BYTES, Long.BYTES).address();
            heap.order(ByteOrder.nativeOrder());
            number = (long) index << 32;
        }

        /** Receives the next number, which is sent before, at once, or in a later step. */
        void start() {
            number++;
            started = true;
            sent = false;
            RingFixture.claim(op);
            intoHeap = random.nextBoolean();
            if (intoHeap) {
                op.prepRecvSelect(pair.fd(), heap.array(), 0, Long.BYTES);
            } else {
                op.prepRecv(pair.fd(), memory, Long.BYTES, 0);
            }
            int when = random.nextInt(3);
            if (when == 0) {
                send();
            }
            assertThat(fixture.ring.submit(op)).isTrue();
            if (when == 1) {
                send();
            }
        }

        void send() {
            pair.peerSendsLong(number);
            sent = true;
        }

        void check() {
            if (!started) {
                return;
            }
            if (op.result() == -Errno.ECANCELED) {
                assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
                assertThat(pair.drain()).as("bytes left").isEqualTo(sent ? Long.BYTES : 0);
                cancelled++;
            } else {
                assertThat(op.result()).isEqualTo(Long.BYTES);
                assertThat(intoHeap ? heap.getLong(0) : Memory.getLong(memory)).isEqualTo(number);
                received++;
            }
            op.release();
            started = false;
        }

        void finish() {
            if (started) {
                if (!sent) {
                    send();
                }
                Await.until(
                        "the end of " + op,
                        () -> {
                            // short: a rescuer may reap what a longer wait would wait for
                            fixture.ring.enter(SHORT_WAIT_NANOS);
                            return !op.inFlight();
                        });
                check();
            }
        }
    }
}
