package io.loomuring.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** The use and close protocol alone, without a descriptor. */
@Timeout(60) // seconds a test; interrupts it
class FileOpsTest {
    private final AtomicInteger unused = new AtomicInteger();
    private final FileOps ops = new FileOps(ignored -> {}, unused::incrementAndGet);

    @Test
    void shouldHaveAsManyOperationsAsAreUsedAtATime() throws Exception {
        Set<Op> used = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            assertThat(used.add(ops.claim())).isTrue();
        }
        used.forEach(ops::release);
        Set<Op> again = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            again.add(ops.claim());
        }
        assertThat(again).hasSize(100);
        again.removeAll(used);
        assertThat(again).hasSizeLessThanOrEqualTo(28); // made with those before: 128 are there
        assertThat(unused).hasValue(0);
    }

    @Test
    void shouldAddOnceWhenManyThreadsFindNoneFree() throws Exception {
        int users = 16;
        ops.claim();
        List<Thread> threads = new ArrayList<>();
        synchronized (ops) { // where they wait to add some
            for (int i = 0; i < users; i++) {
                threads.add(Thread.ofPlatform().daemon().start(this::claimUnlessClosed));
            }
            for (Thread thread : threads) {
                Await.until(
                        "it waits to add some", () -> thread.getState() == Thread.State.BLOCKED);
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(ops.count()).isEqualTo(2 * users);
    }

    private void claimUnlessClosed() {
        try {
            ops.claim();
        } catch (ClosedChannelException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldBeUnusedAtOnceWhenNobodyUsesIt() {
        assertThat(ops.beginClose()).isTrue();
        assertThat(unused).hasValue(1);
        assertThat(ops.beginClose()).isFalse();
        assertThat(unused).hasValue(1);
        assertThatThrownBy(ops::claim).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void shouldCancelWhatIsUsedAndBecomeUnusedWhenTheLastUserReleases() throws Exception {
        Op first = ops.claim();
        Op second = ops.claim();
        ops.beginClose();
        assertThat(first.cancelReason()).isEqualTo(Op.CLOSE);
        assertThat(second.cancelReason()).isEqualTo(Op.CLOSE);
        ops.release(second);
        assertThat(unused).hasValue(0);
        ops.release(first);
        assertThat(unused).hasValue(1);
    }

    @Test
    void shouldBecomeUnusedOnceWhateverTheTiming() {
        Seeds.withRandom(random -> {
            for (int round = 0; round < 2_000; round++) {
                raceOnce(random, Thread.ofPlatform().daemon().factory());
            }
        });
    }

    private static void raceOnce(Random random, ThreadFactory threads) throws Exception {
        var users = new AtomicInteger();
        var unused = new AtomicInteger();
        var violations = new AtomicInteger();
        var ops =
                new FileOps(
                        ignored -> {},
                        () -> {
                            unused.incrementAndGet();
                            violations.addAndGet(users.get());
                        });
        int count = 3;
        int uses = random.nextInt(1, 6);
        var start = new CyclicBarrier(count + 1);
        List<Running<Void>> running = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            running.add(
                    Running.on(
                            threads,
                            () -> {
                                start.await();
                                for (int use = 0; use < uses; use++) {
                                    Op op;
                                    try {
                                        op = ops.claim();
                                    } catch (ClosedChannelException e) {
                                        return;
                                    }
                                    users.incrementAndGet();
                                    violations.addAndGet(unused.get());
                                    users.decrementAndGet();
                                    ops.release(op);
                                }
                            }));
        }
        start.await();
        for (int spins = random.nextInt(2_000); spins > 0; spins--) {
            Thread.onSpinWait();
        }
        ops.beginClose();
        Running.allEnd(running);
        assertThat(unused).hasValue(1);
        assertThat(violations).hasValue(0);
    }
}
