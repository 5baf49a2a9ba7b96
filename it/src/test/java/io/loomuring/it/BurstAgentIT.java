package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.ring.Op;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;

/** More data arrives in one turn of the carriers than their rings have buffers for. */
@ExtendWith(OnRings.class)
class BurstAgentIT {
    private static final int READERS_EACH_CARRIER = 500; // a ring has 128 buffers
    private static final int ROUNDS = Settings.size(20, 500);
    private static final int CHUNK = 3_000; // bytes
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final FirstFailure failure = new FirstFailure();

    @Test
    void everyReaderGetsItsDataWhenMoreArrivesAtOnceThanThereAreBuffers() throws Exception {
        int carriers = RingSlots.carrierCount();
        int readers = READERS_EACH_CARRIER * carriers;
        long without = LoomUring.counters().noProvidedBuffer;
        var threads = new ArrayList<Thread>();
        var writers = new int[readers];
        var round = new Phaser(readers + 1);
        for (int i = 0; i < readers; i++) {
            int[] pair = Libc.unixPair();
            writers[i] = pair[1];
            long first = 1_000L * i;
            threads.add(
                    ThreadKind.VIRTUAL.unstarted("reader " + i, () -> read(pair[0], first, round)));
        }
        threads.forEach(Thread::start);
        for (int i = 0; i < ROUNDS && !failure.isThere(); i++) {
            burst(writers, i, carriers);
            round.awaitAdvanceInterruptibly(round.arrive(), LIMIT.toSeconds(), TimeUnit.SECONDS);
        }
        for (int writer : writers) {
            Libc.close(writer);
        }
        Patience.join(threads, LIMIT);
        failure.rethrow();
        without = LoomUring.counters().noProvidedBuffer - without;
        System.out.printf(
                "  %,d reads at once, %d times: %,d found no buffer%n", readers, ROUNDS, without);
        assertThat(without).isPositive();
    }

    /** Keeps all carriers busy until there is something to read for every reader. */
    private static void burst(int[] writers, int round, int carriers) throws InterruptedException {
        var busy = new CountDownLatch(carriers);
        var written = new CountDownLatch(1);
        for (int i = 0; i < carriers; i++) {
            ThreadKind.VIRTUAL.unstarted("hog " + i, () -> hog(busy, written)).start();
        }
        try (Arena arena = Arena.ofConfined()) {
            assertThat(busy.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            MemorySegment data = arena.allocate(CHUNK);
            for (int i = 0; i < writers.length; i++) {
                NumberedStream.fill(data, 1_000L * i + (long) round * CHUNK);
                assertThat(Libc.send(writers[i], data, Libc.MSG_DONTWAIT)).isEqualTo(CHUNK);
            }
        } finally {
            written.countDown();
        }
    }

    private static void hog(CountDownLatch busy, CountDownLatch written) {
        busy.countDown();
        while (written.getCount() > 0) {
            Thread.onSpinWait();
        }
    }

    private void read(int fd, long first, Phaser round) {
        var op = new Op(ignored -> {});
        GuardedBuffer buffer = GuardedBuffer.onHeap(CHUNK);
        long position = first;
        try {
            int n;
            do {
                assertThat(op.tryClaim()).isTrue();
                n =
                        CarrierIo.recvHeap(
                                op, fd, buffer.heap(), buffer.position(), buffer.capacity(), 0);
                op.release();
                assertThat(n).isNotNegative();
                buffer.checkReceived(n, position);
                buffer.retire();
                position += n;
                if (n > 0 && (position - first) % CHUNK == 0) {
                    round.arrive();
                }
            } while (n > 0);
        } catch (Throwable e) {
            failure.keep(Thread.currentThread().toString(), e);
            round.forceTermination();
        } finally {
            Libc.close(fd);
        }
    }
}
