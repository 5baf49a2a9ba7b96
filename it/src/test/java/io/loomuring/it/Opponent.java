package io.loomuring.it;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** A thread's worth of trouble for other threads' operations: it acts on them at random. */
final class Opponent implements Runnable {
    /** What an opponent acts on. */
    interface Target {
        void act(Opponent opponent);
    }

    private static final int SPIN_NANOS_LOG2_MAX = 15;

    final SplittableRandom random;

    /** Native memory for what the opponent sends. */
    final MemorySegment scratch = Arena.global().allocate(4096);

    private final Target[] targets;
    private final BooleanSupplier done;
    private final Outcomes outcomes;

    Opponent(SplittableRandom random, Target[] targets, BooleanSupplier done, Outcomes outcomes) {
        this.random = random;
        this.targets = targets;
        this.done = done;
        this.outcomes = outcomes;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // nothing pre-empts a virtual thread
    public void run() {
        try {
            while (!done.getAsBoolean()) {
                targets[random.nextInt(targets.length)].act(this);
                Thread.yield();
            }
        } catch (Throwable e) {
            outcomes.failure.keep("opponent", e);
        }
    }

    /** Lets a random time pass, mostly short: two actions meet in the kernel in either order. */
    void spin() {
        int nanos = random.nextInt(1 << random.nextInt(SPIN_NANOS_LOG2_MAX + 1));
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() - until < 0) {
            Thread.onSpinWait();
        }
    }
}
