package io.loomuring.it.program;

import io.loomuring.LoomUring;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Scanner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Virtual threads that keep every carrier busy, and yield all the time. For each line of standard
 * input it prints three numbers: carriers found stuck so far, spares called, and the longest pause
 * of the process in milliseconds since the last line. The line {@code gc} collects garbage before.
 * The argument: how many million objects live.
 */
@SuppressWarnings("ThreadPriorityCheck") // yielding is what it does
public final class Beating {
    private Beating() {}

    private static final int THREADS = 8;
    private static final int OBJECTS_A_MILLION = 1_000_000;

    public static void main(String[] arguments) {
        var live = new ArrayDeque<Object>(); // each with a place of its own, for the collector
        for (int i = 0; i < Integer.parseInt(arguments[0]) * OBJECTS_A_MILLION; i++) {
            live.add(new long[] {i});
        }
        for (int i = 0; i < THREADS; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        while (true) {
                            Thread.yield();
                        }
                    });
        }
        var longestNanos = new AtomicLong();
        Thread.ofPlatform().daemon().start(() -> measurePauses(longestNanos));
        System.out.println("beats");
        try (var in = new Scanner(System.in, StandardCharsets.US_ASCII)) {
            while (in.hasNextLine()) {
                if (in.nextLine().equals("gc")) {
                    System.gc();
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100)); // the watchdog looks
                System.out.println(
                        LoomUring.counters().stalls
                                + " "
                                + LoomUring.counters().spares
                                + " "
                                + TimeUnit.NANOSECONDS.toMillis(longestNanos.getAndSet(0)));
            }
        }
        System.exit(live.isEmpty() ? 1 : 0);
    }

    private static void measurePauses(AtomicLong longestNanos) {
        long last = System.nanoTime();
        while (true) {
            LockSupport.parkNanos(1_000_000);
            long now = System.nanoTime();
            longestNanos.accumulateAndGet(now - last, Math::max);
            last = now;
        }
    }
}
