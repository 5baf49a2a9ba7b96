package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Await;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;

/** A carrier's run queue, alone and among thieves. */
class RunQueueTest {
    private static final int CAPACITY_INITIAL = 256; // RunQueue's
    private static final int STEAL_MAX = 64; // RunQueue's
    private static final int STEPS = 1_000_000;

    private final RunQueue queue = new RunQueue();

    private record Numbered(int number) implements Runnable {
        @Override
        public void run() {}
    }

    private void pushTasks(int count) {
        for (int i = 0; i < count; i++) {
            queue.push(new Numbered(i));
        }
    }

    private static int number(Runnable task) {
        return ((Numbered) task).number();
    }

    // ---- the carrier alone ----

    @Test
    void shouldBeEmptyAtFirst() {
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.size()).isZero();
        assertThat(queue.poll()).isNull();
        assertThat(queue.steal()).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, CAPACITY_INITIAL, CAPACITY_INITIAL + 1, 100_000})
    void shouldGiveTasksInTheOrderOfTheirPush(int count) {
        pushTasks(count);
        assertThat(queue.size()).isEqualTo(count);
        for (int i = 0; i < count; i++) {
            assertThat(number(queue.poll())).isEqualTo(i);
        }
        assertThat(queue.poll()).isNull();
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void shouldKeepTheOrderWhenItGrowsInTheMiddleOfItsArray() {
        pushTasks(CAPACITY_INITIAL);
        for (int i = 0; i < CAPACITY_INITIAL / 2; i++) {
            queue.poll();
        }
        for (int i = CAPACITY_INITIAL; i < 4 * CAPACITY_INITIAL; i++) {
            queue.push(new Numbered(i));
        }
        for (int i = CAPACITY_INITIAL / 2; i < 4 * CAPACITY_INITIAL; i++) {
            assertThat(number(queue.poll())).isEqualTo(i);
        }
    }

    @Test
    void shouldMatchAQueueWhateverIsPushedAndPolled() {
        Seeds.withRandom(random -> compareWithOracle(new RunQueue(), random));
    }

    private static void compareWithOracle(RunQueue queue, Random random) {
        Queue<Runnable> oracle = new ArrayDeque<>();
        int pushOf8 = 4;
        for (int step = 0; step < STEPS; step++) {
            if (step % 1024 == 0) {
                pushOf8 = 2 + random.nextInt(5); // grows and shrinks by turns
            }
            if (random.nextInt(8) < pushOf8) {
                var task = new Numbered(step);
                queue.push(task);
                oracle.add(task);
            } else {
                Runnable task = random.nextBoolean() ? queue.poll() : queue.steal();
                assertThat(task).isSameAs(oracle.poll());
            }
            assertThat(queue.size()).isEqualTo(oracle.size());
        }
    }

    @Test
    void shouldKeepWhatIsPushedAfterMoreWasStolenThanItHolds() {
        for (int i = 0; i < 2 * CAPACITY_INITIAL; i++) {
            queue.push(new Numbered(i));
            assertThat(number(queue.steal())).isEqualTo(i);
        }
        pushTasks(3);
        for (int i = 0; i < 3; i++) {
            assertThat(number(queue.poll())).isEqualTo(i);
        }
    }

    // ---- half of another's ----

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 10, 2 * STEAL_MAX, 10_000})
    void shouldStealTheOlderHalfUpToALimit(int count) {
        pushTasks(count);
        var thief = new RunQueue();
        int stolen = Math.min((count + 1) / 2, STEAL_MAX);
        assertThat(thief.stealHalf(queue)).isEqualTo(stolen);
        assertThat(thief.size()).isEqualTo(stolen);
        assertThat(queue.size()).isEqualTo(count - stolen);
        for (int i = 0; i < stolen; i++) {
            assertThat(number(thief.poll())).isEqualTo(i);
        }
        for (int i = stolen; i < count; i++) {
            assertThat(number(queue.poll())).isEqualTo(i);
        }
    }

    // ---- what it keeps alive ----

    private List<WeakReference<Runnable>> pushWatched(int count) {
        List<WeakReference<Runnable>> references = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            var task = new Numbered(i);
            references.add(new WeakReference<>(task));
            queue.push(task);
        }
        return references;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, CAPACITY_INITIAL, CAPACITY_INITIAL + 1})
    void shouldNotKeepPolledTasksAlive(int count) {
        var references = pushWatched(count);
        for (int i = 0; i < count; i++) {
            queue.poll();
        }
        Await.collected("polled tasks", references);
        assertThat(queue.isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, CAPACITY_INITIAL, CAPACITY_INITIAL + 1})
    void shouldNotKeepStolenTasksAliveOnceItsCarrierHasLooked(int count) {
        var references = pushWatched(count);
        for (int i = 0; i < count; i++) {
            queue.steal();
        }
        assertThat(queue.poll()).isNull();
        Await.collected("stolen tasks", references);
        assertThat(queue.isEmpty()).isTrue();
    }

    // ---- thieves ----

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void shouldGiveEachTaskToOneTakerOnly(int thieves) {
        Seeds.withRandom(random -> new StealRace(queue, thieves, random).run());
    }
}
