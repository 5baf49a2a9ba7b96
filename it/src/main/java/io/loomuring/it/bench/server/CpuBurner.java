package io.loomuring.it.bench.server;

/**
 * Work that costs a fixed amount of CPU time.
 *
 * <p>It counts steps, not time: a loop that waits for a clock would call it work when its thread is
 * off the CPU, and so two threads that share a core would look as fast as two cores.
 */
final class CpuBurner implements Runnable {
    private static final long CALIBRATION_STEPS = 2_000_000;
    private static final int CALIBRATION_ROUNDS = 30;

    /** Keeps the compiler from dropping the loop. */
    @SuppressWarnings("unused")
    private static volatile long sink;

    private final long steps;

    private CpuBurner(long steps) {
        this.steps = steps;
    }

    /** A burner of so many microseconds, by the fastest of several timed loops. */
    static CpuBurner calibrated(int micros) {
        long fastestNanos = Long.MAX_VALUE;
        for (int i = 0; i < CALIBRATION_ROUNDS; i++) {
            long start = System.nanoTime();
            burn(CALIBRATION_STEPS);
            fastestNanos = Math.min(fastestNanos, System.nanoTime() - start);
        }
        return new CpuBurner(CALIBRATION_STEPS * micros * 1_000 / fastestNanos);
    }

    @Override
    public void run() {
        burn(steps);
    }

    /** Each step waits for the one before it, so that its time is the CPU's latency. */
    private static void burn(long steps) {
        long x = steps;
        for (long i = 0; i < steps; i++) {
            x = x * 6364136223846793005L + 1442695040888963407L;
        }
        sink = x;
    }
}
