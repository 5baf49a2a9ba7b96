package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.ring.Op;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/** The use and close protocol alone, without a descriptor. */
@Timeout(60) // seconds a test; interrupts it
class FdLifeTest {

    /** Checks the model: one user a direction, unused once, and not while there is a user. */
    private static final class Checked extends FdLife {
        final AtomicIntegerArray users = new AtomicIntegerArray(2);
        final AtomicInteger unusedCalls = new AtomicInteger();
        final AtomicInteger violations = new AtomicInteger();

        Checked(int directions) {
            super(directions);
        }

        void use(int direction, Runnable body) throws IOException {
            Op op = direction == 0 ? readOp : writeOp;
            claim(op);
            try {
                expect(users.incrementAndGet(direction) == 1);
                expect(unusedCalls.get() == 0);
                body.run();
                expect(unusedCalls.get() == 0);
                users.decrementAndGet(direction);
            } finally {
                release(op);
            }
        }

        private void expect(boolean condition) {
            if (!condition) {
                violations.incrementAndGet();
            }
        }

        @Override
        void unused() {
            expect(users.get(0) == 0 && users.get(1) == 0);
            unusedCalls.incrementAndGet();
        }

        @Override
        IOException closed() {
            return new ClosedChannelException();
        }

        @Override
        public void interrupted(Op op) {}
    }

    @Test
    void shouldBeUnusedAtOnceWhenNobodyUsesIt() {
        var life = new Checked(2);
        assertThat(life.isUnused()).isFalse();
        life.beginClose();
        assertThat(life.isUnused()).isTrue();
        assertThat(life.unusedCalls).hasValue(1);
    }

    @ParameterizedTest
    @CsvSource({"1,0", "2,0", "2,1"})
    void shouldBecomeUnusedWhenTheLastUserReleases(int directions, int direction) throws Exception {
        var life = new Checked(directions);
        life.use(
                direction,
                () -> {
                    life.beginClose();
                    Op op = direction == 0 ? life.readOp : life.writeOp;
                    assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
                    assertThat(life.unusedCalls).hasValue(0);
                });
        assertThat(life.unusedCalls).hasValue(1);
        assertThat(life.violations).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource
    void shouldWaitItsTurnDeafToInterrupts(ThreadKind thread) throws Exception {
        var life = new Checked(2);
        var turn = new AtomicInteger();
        List<Attempt<Object>> attempts = new ArrayList<>();
        life.use(
                0,
                () -> {
                    for (int i = 0; i < 3; i++) {
                        attempts.add(
                                Attempt.start(
                                                thread,
                                                () -> {
                                                    life.use(0, turn::incrementAndGet);
                                                    return null;
                                                })
                                        .awaitBlocked());
                    }
                    attempts.get(1).thread().interrupt();
                    attempts.get(1).awaitBlocked();
                    assertThat(turn).hasValue(0);
                });
        for (Attempt<Object> attempt : attempts) {
            attempt.get();
        }
        assertThat(turn).hasValue(3);
        assertThat(attempts.get(1).endedInterrupted()).isTrue();
        assertThat(attempts.get(0).endedInterrupted()).isFalse();
        assertThat(life.violations).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource
    void shouldLoseNoTurnAndCloseOnce(ThreadKind kind) throws Exception {
        long seed = new Random().nextLong();
        int rounds = 2_000;
        for (int round = 0; round < rounds; round++) {
            var random = new Random(seed + round);
            var life = new Checked(2);
            int threads = 4;
            int uses = random.nextInt(1, 6);
            var start = new CyclicBarrier(threads + 1);
            List<Attempt<Integer>> attempts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int direction = random.nextInt(2);
                boolean pausing = random.nextInt(4) == 0;
                attempts.add(
                        Attempt.start(
                                kind,
                                () -> {
                                    start.await();
                                    for (int use = 0; use < uses; use++) {
                                        try {
                                            life.use(
                                                    direction,
                                                    pausing ? FdLifeTest::pause : () -> {});
                                        } catch (ClosedChannelException e) {
                                            return use;
                                        }
                                    }
                                    return uses;
                                }));
            }
            start.await();
            for (int spins = random.nextInt(2_000); spins > 0; spins--) {
                Thread.onSpinWait();
            }
            life.beginClose();
            for (Attempt<Integer> attempt : attempts) {
                attempt.get();
            }
            assertThat(life.unusedCalls).as("seed %d round %d", seed, round).hasValue(1);
            assertThat(life.violations).as("seed %d round %d", seed, round).hasValue(0);
            assertThat(life.readOp.isRetired() && life.writeOp.isRetired()).isTrue();
        }
    }

    private static void pause() {
        LockSupport.parkNanos(1_000);
    }
}
