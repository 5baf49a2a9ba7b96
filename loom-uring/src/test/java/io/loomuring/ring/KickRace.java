package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Running;

import java.util.Random;
import java.util.concurrent.CyclicBarrier;

/**
 * One thread goes in and out of a "system call" on a "descriptor", which is closed and its number
 * reused as soon as the thread is out; another one cancels. A kick must find the number unchanged
 * from its beginning to its end.
 */
final class KickRace {
    private static final int ROUNDS = 40_000;
    private static final int SPINS_MAX = 600;

    private final Random random;
    private final CyclicBarrier start = new CyclicBarrier(2);
    private volatile Op op; // of the round
    private volatile int open; // the descriptor of the round
    private volatile boolean kicked;
    private int kicks; // by the canceller
    private int strangers; // by the canceller: kicks that hit another descriptor

    KickRace(Random random) {
        this.random = random;
    }

    void run() throws Exception {
        long seed = random.nextLong();
        Running<Void> canceller = Running.onPlatform(() -> cancel(new Random(seed)));
        int left = 0;
        for (int round = 1; round <= ROUNDS; round++) {
            Op mine = RingFixture.claimedOp();
            open = round;
            kicked = false;
            op = mine;
            int spins = random.nextInt(SPINS_MAX);
            start.await();
            if (mine.beginBlocking(this::kick, round, 0)) {
                while (spins-- > 0 && !kicked) {
                    Thread.onSpinWait();
                }
                mine.endBlocking();
                left += kicked ? 0 : 1;
            }
            open = -round; // closed, and the number taken by somebody else
            mine.release();
            start.await();
        }
        canceller.result();
        assertThat(strangers).as("descriptors of others that were hit").isZero();
        assertThat(kicks).as("kicks").isPositive();
        assertThat(left).as("calls that ended by themselves").isPositive();
    }

    private void cancel(Random pauses) throws Exception {
        for (int round = 1; round <= ROUNDS; round++) {
            int spins = pauses.nextInt(SPINS_MAX);
            start.await();
            while (spins-- > 0) {
                Thread.onSpinWait();
            }
            op.cancel(Op.CLOSE);
            start.await();
        }
    }

    private void kick(int fd, long thread) {
        kicks++;
        if (open != fd) {
            strangers++;
        }
        kicked = true; // the thread leaves as soon as it may
        for (int i = 0; i < SPINS_MAX; i++) {
            Thread.onSpinWait();
        }
        if (open != fd) {
            strangers++;
        }
    }
}
