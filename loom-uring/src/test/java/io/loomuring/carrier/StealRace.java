package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Running;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A carrier that pushes and polls in bursts, and thieves: some take one task, some half of the
 * queue. Each task must be taken once, and each taker must see the tasks in the order of their
 * push.
 */
final class StealRace {
    private static final int TASKS = 3_000_000;
    private static final int BURST_MAX = 700; // makes the queue grow and wrap

    private final RunQueue queue;
    private final int thieves;
    private final Random random;
    private final AtomicIntegerArray taken = new AtomicIntegerArray(TASKS);
    private volatile boolean done;

    StealRace(RunQueue queue, int thieves, Random random) {
        this.queue = queue;
        this.thieves = thieves;
        this.random = random;
    }

    private record Numbered(int number) implements Runnable {
        @Override
        public void run() {}
    }

    /** What one thread took. */
    private final class Taker {
        private int last = -1;
        private long count;

        boolean take(Runnable task) {
            if (task == null) {
                return false;
            }
            int number = ((Numbered) task).number();
            if (number <= last) {
                throw new AssertionError(number + " after " + last);
            }
            last = number;
            count++;
            if (taken.incrementAndGet(number) != 1) {
                throw new AssertionError(number + " taken twice");
            }
            return true;
        }
    }

    void run() throws Exception {
        List<Running<Long>> running = new ArrayList<>();
        for (int i = 0; i < thieves; i++) {
            boolean half = i % 2 == 1;
            running.add(Running.onPlatform(() -> half ? stealHalves() : stealOneByOne()));
        }
        long stolen = 0;
        var carrier = new Taker();
        try {
            pushAndPoll(carrier);
        } finally {
            done = true;
        }
        for (Running<Long> thief : running) {
            stolen += thief.result();
        }
        assertThat(stolen).as("tasks stolen").isPositive();
        assertThat(carrier.count).as("tasks polled").isPositive();
        assertThat(carrier.count + stolen).as("tasks taken").isEqualTo(TASKS);
        assertThat(queue.isEmpty()).isTrue();
    }

    private void pushAndPoll(Taker carrier) {
        int pushed = 0;
        while (pushed < TASKS) {
            for (int burst = random.nextInt(BURST_MAX); burst > 0 && pushed < TASKS; burst--) {
                queue.push(new Numbered(pushed++));
            }
            for (int burst = random.nextInt(BURST_MAX); burst > 0; burst--) {
                if (!carrier.take(queue.poll())) {
                    break;
                }
            }
        }
        while (carrier.take(queue.poll())) {
            // the rest
        }
    }

    private long stealOneByOne() {
        var taker = new Taker();
        while (!done) {
            if (!taker.take(queue.steal())) {
                Thread.onSpinWait();
            }
        }
        return taker.count;
    }

    private long stealHalves() {
        var taker = new Taker();
        var own = new RunQueue();
        while (!done) {
            if (own.stealHalf(queue) == 0) {
                Thread.onSpinWait();
            }
            while (taker.take(own.poll())) {
                // all of them
            }
        }
        return taker.count;
    }
}
