package io.loomuring.testing;

import org.opentest4j.TestAbortedException;

import java.util.Random;

/** Random numbers whose seed a failure names: {@code -Dloomuring.test.seed} repeats the run. */
public final class Seeds {
    private Seeds() {}

    private static final String PROPERTY = "loomuring.test.seed";

    /** What is done with random numbers. */
    @FunctionalInterface
    public interface Body {
        void run(Random random) throws Exception;
    }

    /** Runs a body; what it throws is thrown with the seed. */
    public static void withRandom(Body body) {
        long seed = Long.getLong(PROPERTY, System.nanoTime());
        try {
            body.run(new Random(seed));
        } catch (TestAbortedException e) {
            throw e; // an assumption
        } catch (Exception | Error e) {
            throw new AssertionError("with -D" + PROPERTY + "=" + seed + ": " + e.getMessage(), e);
        }
    }
}
