package io.loomuring.it.bench.stall;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * What timed parks cost, and how exact they are. A program of its own; its lines are
 *
 * <pre>
 *     PENDING PARK_NANOS UNPARK_NANOS     each, with so many pending
 *     LATE P50_NANOS P99_NANOS MAX_NANOS  of sleeps beside threads that compute and yield
 * </pre>
 */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of the loads
public final class TimerProbe {
    private TimerProbe() {}

    private static final int WARM_UP = 100_000;
    private static final int SLEEPERS = 50;
    private static final int SLEEPS = 200;
    private static final long SLEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int BUSY_THREADS = 4;

    /** Argument: how many are pending. */
    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[0]);
        pend(WARM_UP);
        pend(WARM_UP);
        long[] cost = pend(count);
        System.out.println("PENDING " + cost[0] + " " + cost[1]);
        lateness();
        long[] late = lateness();
        System.out.println("LATE " + late[0] + " " + late[1] + " " + late[2]);
        System.exit(0);
    }

    /** CPU-bound times of all threads together, for each park and unpark. */
    private static long[] pend(int count) throws InterruptedException {
        var parked = new CountDownLatch(count);
        List<Thread> threads = new ArrayList<>(count);
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            long nanos = TimeUnit.HOURS.toNanos(1) + i % 1_000 * 1_000_000L;
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                parked.countDown();
                                LockSupport.parkNanos(nanos);
                            }));
        }
        parked.await();
        long park = System.nanoTime() - start;
        Thread.sleep(200); // the last ones park
        start = System.nanoTime();
        threads.forEach(LockSupport::unpark);
        for (Thread thread : threads) {
            thread.join();
        }
        long unpark = System.nanoTime() - start;
        return new long[] {park / count, unpark / count};
    }

    private static long[] lateness() throws InterruptedException {
        var done = new AtomicBoolean();
        for (int i = 0; i < BUSY_THREADS; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        while (!done.get()) {
                            long end = System.nanoTime() + 50_000;
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
