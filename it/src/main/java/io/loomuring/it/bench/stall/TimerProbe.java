package io.loomuring.it.bench.stall;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * What timed parks cost, and how exact they are. A program of its own; its lines are
 *
 * <pre>
 *     PENDING PARK_NANOS UNPARK_NANOS BYTES   each, with so many pending: CPU time, memory
 *     LATE P50_NANOS P99_NANOS MAX_NANOS      of sleeps beside threads that compute and yield
 * </pre>
 */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of the loads
public final class TimerProbe {
    private TimerProbe() {}

    private static final int WARM_UP = 100_000;
    private static final int SLEEPERS = 50;
    private static final int SLEEPS = 100;
    private static final long SLEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long COMPUTE_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    /**
     * Arguments: how many are pending; how many threads compute: fewer than carriers, else the JDK
     * wakes nobody.
     */
    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[0]);
        int busy = Integer.parseInt(args[1]);
        for (int i = 0; i < 5; i++) {
            pend(WARM_UP);
        }
        System.out.println("PENDING " + line(pend(count)));
        lateness(busy);
        System.out.println("LATE " + line(lateness(busy)));
        System.exit(0);
    }

    private static String line(long[] figures) {
        return LongStream.of(figures).mapToObj(Long::toString).collect(Collectors.joining(" "));
    }

    /** Of all threads together, for each: to start and park, to unpark and end, while parked. */
    private static long[] pend(int count) throws InterruptedException {
        var parked = new AtomicInteger();
        List<Thread> threads = new ArrayList<>(count);
        System.gc();
        long before = usedBytes();
        long start = cpuNanos();
        for (int i = 0; i < count; i++) {
            long nanos = TimeUnit.HOURS.toNanos(1) + i % 1_000 * 1_000_000L;
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                parked.incrementAndGet();
                                LockSupport.parkNanos(nanos);
                            }));
        }
        while (parked.get() < count) {
            Thread.sleep(1);
        }
        for (Thread thread : threads) {
            while (thread.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
        }
        long park = cpuNanos() - start;
        System.gc();
        long bytes = usedBytes() - before;
        start = cpuNanos();
        threads.forEach(LockSupport::unpark);
        for (Thread thread : threads) {
            thread.join();
        }
        long unpark = cpuNanos() - start;
        return new long[] {park / count, unpark / count, bytes / count};
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static long usedBytes() {
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long[] lateness(int busy) throws InterruptedException {
        var done = new AtomicBoolean();
        for (int i = 0; i < busy; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        while (!done.get()) {
                            long end = System.nanoTime() + COMPUTE_NANOS;
                            while (System.nanoTime() - end < 0) {
                                Thread.onSpinWait();
                            }
                            Thread.yield();
                        }
                    });
        }
        long[] late = new long[SLEEPERS * SLEEPS];
        List<Thread> sleepers = new ArrayList<>();
        for (int i = 0; i < SLEEPERS; i++) {
            int first = i * SLEEPS;
            sleepers.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                for (int j = 0; j < SLEEPS; j++) {
                                    long end = System.nanoTime() + SLEEP_NANOS;
                                    LockSupport.parkNanos(SLEEP_NANOS);
                                    late[first + j] = System.nanoTime() - end;
                                }
                            }));
        }
        for (Thread sleeper : sleepers) {
            sleeper.join();
        }
        done.set(true);
        Arrays.sort(late);
        return new long[] {
            late[late.length / 2], late[late.length * 99 / 100], late[late.length - 1]
        };
    }
}
