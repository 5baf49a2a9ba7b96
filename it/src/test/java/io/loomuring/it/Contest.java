package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Threads whose operations are cancelled at random, against opponents that do so. */
final class Contest {
    static final Duration LIMIT = Duration.ofMinutes(Settings.size(1, 5));
    static final Duration END_WAIT = Duration.ofSeconds(20);

    private static final int OPPONENTS_EACH_KIND = 2;

    private final Outcomes outcomes;
    private final SplittableRandom random;

    Contest(Outcomes outcomes, SplittableRandom random) {
        this.outcomes = outcomes;
        this.random = random;
    }

    /** Lets opponents act on the targets until the aim is reached, then ends all in order. */
    <T extends Opponent.Target> void run(
            List<Thread> threads,
            T[] targets,
            List<ThreadKind> opponentKinds,
            BooleanSupplier aim,
            Consumer<T> end) {
        long start = System.nanoTime();
        long deadline = start + LIMIT.toNanos();
        BooleanSupplier done =
                () ->
                        aim.getAsBoolean()
                                || outcomes.failure.isThere()
                                || System.nanoTime() - deadline > 0;
        var opponents = new ArrayList<Thread>();
        for (ThreadKind kind : opponentKinds) {
            for (int i = 0; i < OPPONENTS_EACH_KIND; i++) {
                var opponent = new Opponent(random.split(), targets, done, outcomes);
                opponents.add(kind.unstarted("opponent " + i, opponent));
            }
        }
        threads.forEach(Thread::start);
        opponents.forEach(Thread::start);
        Patience.join(opponents, LIMIT.plus(END_WAIT));
        for (T target : targets) {
            end.accept(target);
        }
        if (!outcomes.failure.isThere()) {
            Patience.join(threads, END_WAIT);
        }
        outcomes.failure.rethrow();
        System.out.printf(
                "  %s, in %.1f s%n", outcomes, (System.nanoTime() - start) / 1_000_000_000.0);
        assertThat(aim.getAsBoolean()).as("reached in time: %s", outcomes).isTrue();
    }
}
