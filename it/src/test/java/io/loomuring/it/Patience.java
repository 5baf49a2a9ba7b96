package io.loomuring.it;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting with a deadline: nothing in these tests hangs, and what would have is shown. */
public final class Patience {
    private Patience() {}

    private static final long LOOK_NANOS = 1_000_000;

    /** Waits until a condition holds that nobody signals, such as one of the kernel's. */
    public static void await(Supplier<String> failure, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError(
                        "after " + limit.toSeconds() + " s: " + failure.get() + "\n" + threads());
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Waits until all threads have ended. */
    public static void join(Collection<Thread> threads, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        for (Thread thread : threads) {
            boolean ended;
            try {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                ended = thread.join(Duration.ofMillis(Math.max(1, left)));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (!ended) {
                throw new AssertionError(
                        thread + " still runs after " + limit.toSeconds() + " s\n" + threads());
            }
        }
    }

    /** The stacks of all threads, virtual ones included. */
    public static String threads() {
        try {
            Path file = Files.createTempFile("threads", ".txt");
            Files.delete(file); // the JVM makes it
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(file.toString(), ThreadDumpFormat.TEXT_PLAIN);
            String dump = Files.readString(file);
            Files.delete(file);
            return dump;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
