package io.loomuring.carrier;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomuring.carrier.FaultyRunQueue.Fault;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** A carrier's run queue: each task is taken once, by its carrier or a thief. */
public final class RunQueueStress {
    private RunQueueStress() {}

    private static final int CAPACITY_INITIAL = 256; // RunQueue's
    private static final Numbered[] TASKS = new Numbered[CAPACITY_INITIAL + 1];

    static {
        for (int i = 0; i < TASKS.length; i++) {
            TASKS[i] = new Numbered(i + 1);
        }
    }

    /** A task; the first one has the number 1. */
    private record Numbered(int number) implements Runnable {
        @Override
        public void run() {}
    }

    private static int number(Runnable task) {
        return task == null ? 0 : ((Numbered) task).number();
    }

    private static int count(Runnable task) {
        return task == null ? 0 : 1;
    }

    private static RunQueue queueOf(int tasks) {
        var queue = new RunQueue();
        for (int i = 0; i < tasks; i++) {
            queue.push(TASKS[i]);
        }
        return queue;
    }

    private static FaultyRunQueue faultyQueueOf(int tasks, Fault fault) {
        var queue = new FaultyRunQueue(fault);
        for (int i = 0; i < tasks; i++) {
            queue.push(TASKS[i]);
        }
        return queue;
    }

    /** One task, and its carrier and a thief want it. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "taken once")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class PollAgainstSteal {
        private final RunQueue queue = queueOf(1);

        @Actor
        public void carrier(II_Result result) {
            result.r1 = count(queue.poll());
        }

        @Actor
        public void thief(II_Result result) {
            result.r2 = count(queue.steal());
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "taken once")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class PollWithoutExchangeBroken {
        private final FaultyRunQueue queue = faultyQueueOf(1, Fault.NO_EXCHANGE);

        @Actor
        public void carrier(II_Result result) {
            result.r1 = count(queue.poll());
        }

        @Actor
        public void thief(II_Result result) {
            result.r2 = count(queue.steal());
        }
    }

    /** Two thieves, two tasks. */
    @JCStressTest
    @Outcome(
            id = {"1, 2", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one each")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class StealAgainstSteal {
        private final RunQueue queue = queueOf(2);

        @Actor
        public void first(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = number(queue.steal());
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 2", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one each")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class StealWithoutExchangeBroken {
        private final FaultyRunQueue queue = faultyQueueOf(2, Fault.NO_EXCHANGE);

        @Actor
        public void first(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = number(queue.steal());
        }
    }

    /** A thief moves half of the queue to its own, while the carrier polls. */
    @JCStressTest
    @Outcome(id = "3, 7", expect = ACCEPTABLE, desc = "each taken once")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class PollAgainstStealHalf {
        private final RunQueue queue = queueOf(3);
        private final RunQueue thiefs = new RunQueue();
        private Runnable polled;

        @Actor
        public void carrier() {
            polled = queue.poll();
        }

        @Actor
        public void thief() {
            thiefs.stealHalf(queue);
        }

        @Arbiter
        public void all(II_Result result) {
            for (Runnable task = polled; task != null; task = next()) {
                result.r1++;
                result.r2 |= 1 << (number(task) - 1);
            }
        }

        private Runnable next() {
            Runnable task = thiefs.poll();
            return task != null ? task : queue.poll();
        }
    }

    /** The carrier pushes a task while a thief looks. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "stolen, or still there")
    @Outcome(expect = FORBIDDEN, desc = "lost")
    @State
    public static class PushAgainstSteal {
        private final RunQueue queue = new RunQueue();

        @Actor
        public void carrier() {
            queue.push(new Numbered(1));
        }

        @Actor
        public void thief(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Arbiter
        public void rest(II_Result result) {
            result.r2 = queue.size();
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "stolen, or still there")
    @Outcome(expect = FORBIDDEN, desc = "lost")
    @State
    public static class PushTailFirstBroken {
        private final FaultyRunQueue queue = new FaultyRunQueue(Fault.TAIL_FIRST);

        @Actor
        public void carrier() {
            queue.push(new Numbered(1));
        }

        @Actor
        public void thief(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Arbiter
        public void rest(II_Result result) {
            result.r2 = queue.size();
        }
    }

    /** The carrier pushes a second task and forgets what was taken, while a thief takes one. */
    @JCStressTest
    @Outcome(
            id = {"2, 0, 0", "1, 1, 0"},
            expect = ACCEPTABLE,
            desc = "each taken once")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class PushAndPollAgainstSteal {
        private final RunQueue queue = queueOf(1);

        @Actor
        public void carrier(III_Result result) {
            queue.push(TASKS[1]);
            result.r1 = count(queue.poll()) + count(queue.poll());
        }

        @Actor
        public void thief(III_Result result) {
            result.r2 = count(queue.steal());
        }

        @Arbiter
        public void rest(III_Result result) {
            result.r3 = queue.size();
        }
    }

    @JCStressTest
    @Outcome(
            id = {"2, 0, 0", "1, 1, 0"},
            expect = ACCEPTABLE,
            desc = "each taken once")
    @Outcome(expect = FORBIDDEN, desc = "lost, or taken twice")
    @State
    public static class StealReadsLateBroken {
        private final FaultyRunQueue queue = faultyQueueOf(1, Fault.READ_LATE);

        @Actor
        public void carrier(III_Result result) {
            queue.push(TASKS[1]);
            result.r1 = count(queue.poll()) + count(queue.poll());
        }

        @Actor
        public void thief(III_Result result) {
            result.r2 = count(queue.steal());
        }

        @Arbiter
        public void rest(III_Result result) {
            result.r3 = queue.size();
        }
    }

    /** The carrier makes a full queue grow while a thief may read the old array. */
    @JCStressTest
    @Outcome(id = "1, 256", expect = ACCEPTABLE, desc = "each in its place")
    @Outcome(expect = FORBIDDEN, desc = "lost, or out of order")
    @State
    public static class GrowAgainstSteal {
        private final RunQueue queue = queueOf(CAPACITY_INITIAL);

        @Actor
        public void carrier() {
            queue.push(TASKS[CAPACITY_INITIAL]);
        }

        @Actor
        public void thief(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Arbiter
        public void rest(II_Result result) {
            int inPlace = 0;
            for (Runnable task; (task = queue.steal()) != null; ) {
                if (number(task) == inPlace + 2) {
                    inPlace++;
                }
            }
            result.r2 = inPlace;
        }
    }

    @JCStressTest
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "each in its place")
    @Outcome(expect = FORBIDDEN, desc = "lost, or out of order")
    @State
    public static class GrowWipesOldArrayBroken {
        private final FaultyRunQueue queue = faultyQueueOf(2, Fault.OLD_ARRAY_WIPED);

        @Actor
        public void carrier() {
            queue.push(TASKS[2]);
        }

        @Actor
        public void thief(II_Result result) {
            result.r1 = number(queue.steal());
        }

        @Arbiter
        public void rest(II_Result result) {
            result.r2 = queue.size();
        }
    }
}
