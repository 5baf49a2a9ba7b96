package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.testing.Await;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;

/** The heap of a carrier's deadlines. */
class DeadlinesTest {
    private static final int STEPS = 300_000;
    private static final int FEW = 10_000;
    private static final int MANY = 100_000;

    private final Deadlines deadlines = new Deadlines();

    /** A deadline of no carrier: it is never cancelled by itself. */
    private static Deadline at(long nanoTime) {
        return new Deadline(() -> {}, nanoTime, null);
    }

    private Deadline added(long nanoTime) {
        Deadline deadline = at(nanoTime);
        deadlines.add(deadline);
        return deadline;
    }

    private void expectDue(long now, Deadline expected) {
        Deadline due = deadlines.pollDue(now);
        assertThat(due == expected).as("due at %d: %s", now, due).isTrue();
    }

    @Test
    void shouldBeEmptyAtFirst() {
        assertThat(deadlines.isEmpty()).isTrue();
        expectDue(Long.MAX_VALUE, null);
    }

    @Test
    void shouldGiveADeadlineWhenItIsDueAndNotBefore() {
        Deadline deadline = added(1000);
        expectDue(999, null);
        expectDue(1000, deadline);
        expectDue(1000, null);
        assertThat(deadlines.isEmpty()).isTrue();
    }

    @Test
    void shouldGiveEachOfEqualTimesOnce() {
        Set<Deadline> added = new HashSet<>();
        for (int i = 0; i < FEW; i++) {
            added.add(added(7));
        }
        for (int i = 0; i < FEW; i++) {
            assertThat(added.remove(deadlines.pollDue(7))).isTrue();
        }
        assertThat(deadlines.isEmpty()).isTrue();
    }

    @Test
    void shouldOrderTimesAcrossTheOverflowOfNanoTime() {
        long base = Long.MAX_VALUE - 2;
        for (int i = 5; i >= 0; i--) {
            deadlines.add(at(base + i));
        }
        expectDue(base - 1, null);
        for (int i = 0; i <= 5; i++) {
            assertThat(deadlines.first()).isEqualTo(base + i);
            assertThat(deadlines.pollDue(base + i).nanoTime).isEqualTo(base + i);
        }
    }

    @Test
    void shouldTakeARemovalTwiceOrAfterTheEnd() {
        Deadline removed = added(1);
        Deadline due = added(2);
        deadlines.remove(removed);
        deadlines.remove(removed);
        expectDue(2, due);
        deadlines.remove(due);
        assertThat(deadlines.isEmpty()).isTrue();
    }

    @Test
    void shouldTakeTheRemovalOfWhatWasNeverAdded() {
        Deadline present = added(1);
        deadlines.remove(at(1));
        expectDue(1, present);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 1_000_000}) // how many times there are: many equal, or few
    void shouldMatchAPriorityQueueWhateverIsAddedAndRemoved(int times) {
        Seeds.withRandom(random -> compareWithOracle(random, times));
    }

    private void compareWithOracle(Random random, int times) {
        var oracle = new PriorityQueue<Long>();
        List<Deadline> present = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    Deadline deadline = added(random.nextInt(times));
                    oracle.add(deadline.nanoTime);
                    present.add(deadline);
                }
                case 2 -> {
                    if (!present.isEmpty()) {
                        Deadline deadline = takeAny(present, random);
                        if (deadline.heapIndex >= 0) {
                            oracle.remove(deadline.nanoTime);
                        }
                        deadlines.remove(deadline);
                    }
                }
                default -> {
                    long now = random.nextInt(-times, times);
                    Deadline due = deadlines.pollDue(now);
                    Long expected =
                            oracle.isEmpty() || oracle.element() > now ? null : oracle.poll();
                    assertThat(due == null ? null : due.nanoTime).isEqualTo(expected);
                }
            }
            assertThat(deadlines.isEmpty()).isEqualTo(oracle.isEmpty());
            if (!oracle.isEmpty()) {
                assertThat(deadlines.first()).isEqualTo(oracle.element());
            }
        }
    }

    private static Deadline takeAny(List<Deadline> present, Random random) {
        int index = random.nextInt(present.size());
        Deadline deadline = present.get(index);
        present.set(index, present.getLast());
        present.removeLast();
        return deadline;
    }

    @Test
    void shouldNotKeepRemovedDeadlinesAlive() {
        List<WeakReference<Deadline>> references = new ArrayList<>();
        Deadline last = added(Long.MAX_VALUE);
        for (int i = 0; i < FEW; i++) {
            references.add(new WeakReference<>(added(i)));
        }
        for (int i = 0; i < FEW; i++) {
            if (i % 2 == 0) {
                assertThat(deadlines.pollDue(i).nanoTime).isEqualTo(i);
            } else {
                deadlines.remove(references.get(i).get());
            }
        }
        Await.collected("removed deadlines", references);
        expectDue(Long.MAX_VALUE, last);
    }

    @Test
    void shouldAddAndCancelInNearlyLinearTime() {
        Seeds.withRandom(random -> {
            addAndCancel(MANY, random); // compiled
            long few = Long.MAX_VALUE;
            long many = Long.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                few = Math.min(few, addAndCancel(FEW, random));
                many = Math.min(many, addAndCancel(MANY, random));
            }
            assumeTrue(few > 0, "the clock of CPU time is too coarse");
            // n log n makes it 13, caches perhaps 30; a linear removal 100
            assertThat((double) many / few).isLessThan(50.0);
        });
    }

    /** CPU time in nanoseconds for that many deadlines, cancelled in another order. */
    private long addAndCancel(int count, Random random) {
        List<Deadline> added = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            added.add(at(random.nextInt(count)));
        }
        List<Deadline> cancelled = new ArrayList<>(added);
        Collections.shuffle(cancelled, random);
        var threads = ManagementFactory.getThreadMXBean(); // others may take the processor away
        long start = threads.getCurrentThreadCpuTime();
        added.forEach(deadlines::add);
        cancelled.forEach(deadlines::remove);
        long nanos = threads.getCurrentThreadCpuTime() - start;
        assertThat(deadlines.isEmpty()).isTrue();
        return nanos;
    }
}
