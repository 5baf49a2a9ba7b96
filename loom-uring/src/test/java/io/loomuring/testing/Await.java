package io.loomuring.testing;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what must happen, with a deadline that only a failure meets. */
public final class Await {
    private Await() {}

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

    /** Returns once the condition holds. */
    public static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("did not happen in " + LIMIT + ": " + what);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Returns once the threads have ended. */
    public static void ended(Thread... threads) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        for (Thread thread : threads) {
            if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                var error = new AssertionError("did not end in " + LIMIT + ": " + thread);
                error.setStackTrace(thread.getStackTrace());
                throw error;
            }
        }
    }

    /** Returns once no strong reference to any of the objects is left. */
    public static void collected(String what, Collection<? extends Reference<?>> references) {
        until(
                what + " are collected",
                () -> {
                    System.gc();
                    return references.stream().allMatch(reference -> reference.refersTo(null));
                });
    }
}
