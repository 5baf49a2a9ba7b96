package io.loomuring.carrier;

import static io.loomuring.carrier.Installed.carrierName;
import static io.loomuring.carrier.Installed.isOurs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** What virtual threads may expect of their scheduler, however many carriers it has. */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of these things
abstract class SchedulerContract {
    private static final int THREADS = 50;
    private static final int ROUNDS = 2_000;
    private static final int TASKS = 10_000;
    private static final int TIMED_PARKS = 100_000;
    private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);

    /** As the subclass installed it. */
    abstract int carriers();

    // ---- whose carriers ----

    @Test
    void shouldCarryEveryVirtualThreadCreatedSinceItWasInstalled() throws Exception {
        List<Future<String>> names = new ArrayList<>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < THREADS; i++) {
                names.add(executor.submit(Installed::carrierName));
            }
        }
        for (Future<String> name : names) {
            assertThat(isOurs(name.get())).as(name.get()).isTrue();
        }
    }

    @Test
    void shouldCarryTheChildrenOfItsThreads() throws Exception {
        String name =
                Running.onVirtual(() -> Running.onVirtual(Installed::carrierName).result())
                        .result();
        assertThat(isOurs(name)).as(name).isTrue();
    }

    @Test
    void shouldLeaveForeignThreadsAndTheirChildrenWhereTheyAre() throws Exception {
        Running<String> child =
                Running.on(
                        ThreadKind.FOREIGN.factory(),
                        () -> Running.onVirtual(Installed::carrierName).result());
        assertThat(child.result()).startsWith("ForkJoinPool-");
    }

    @Test
    void shouldKeepAThreadOnItsCarriersWhereverItIsUnparked() throws Exception {
        for (ThreadKind kind : ThreadKind.values()) {
            Running<String> parked =
                    Running.onVirtual(() -> {
                        LockSupport.park();
                        return carrierName();
                    });
            Running.on(kind.factory(), () -> LockSupport.unpark(parked.thread())).result();
            assertThat(isOurs(parked.result())).isTrue();
        }
    }

    @Test
    void shouldTellItsCarriersToTheJdk() {
        var scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
        assertThat(scheduler.getParallelism()).isEqualTo(carriers());
        assertThat(scheduler.getPoolSize()).isGreaterThanOrEqualTo(carriers()); // and spares
    }

    // ---- time ----

    @Test
    void shouldNeverEndASleepEarly() throws Exception {
        Seeds.withRandom(random -> {
            List<Running<Long>> earliness = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                long nanos = random.nextLong(TimeUnit.MILLISECONDS.toNanos(100));
                earliness.add(
                        Running.onVirtual(() -> {
                            long start = System.nanoTime();
                            Thread.sleep(0, 0);
                            TimeUnit.NANOSECONDS.sleep(nanos);
                            return System.nanoTime() - start - nanos;
                        }));
            }
            for (Running<Long> sleeper : earliness) {
                assertThat(sleeper.result()).isNotNegative();
            }
        });
    }

    @Test
    void shouldEndATimedParkAtItsTimeout() throws Exception {
        Running<Void> parked =
                Running.onVirtual(() -> {
                    long nanos = TimeUnit.MILLISECONDS.toNanos(5);
                    long end = System.nanoTime() + nanos;
                    while (System.nanoTime() - end < 0) {
                        LockSupport.parkNanos(nanos);
                    }
                });
        parked.result();
    }

    @Test
    void shouldEndATimedParkByAnUnpark() throws Exception {
        Running<Void> parked = Running.onVirtual(() -> LockSupport.parkNanos(HOUR_NANOS));
        LockSupport.unpark(parked.thread());
        parked.result();
    }

    @Test
    void shouldForgetManyTimedParksThatWereCancelled() throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<WeakReference<Thread>> references = new ArrayList<>();
        var parking = new AtomicInteger();
        for (int i = 0; i < TIMED_PARKS; i++) {
            Thread thread =
                    Thread.ofVirtual()
                            .start(() -> {
                                parking.incrementAndGet();
                                LockSupport.parkNanos(HOUR_NANOS);
                            });
            threads.add(thread);
            references.add(new WeakReference<>(thread));
        }
        Await.until("all run", () -> parking.get() == TIMED_PARKS);
        threads.forEach(LockSupport::unpark);
        Await.ended(threads.toArray(Thread[]::new));
        threads.clear();
        Await.collected("threads whose deadline is an hour away", references);
    }

    @Test
    void shouldEndAnObjectsTimedWait() throws Exception {
        var monitor = new Object();
        Running<Void> waiter =
                Running.onVirtual(() -> {
                    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(10);
                    synchronized (monitor) {
                        while (System.nanoTime() - end < 0) {
                            monitor.wait(10);
                        }
                    }
                });
        waiter.result();
    }

    // ---- monitors, locks, hand-offs ----

    @Test
    void shouldExcludeThreadsByMonitorsAcrossParks() throws Exception {
        var monitor = new Object();
        int[] count = {0}; // guarded by the monitor
        List<Running<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(
                    Running.onVirtual(() -> {
                        for (int round = 0; round < 20; round++) {
                            synchronized (monitor) {
                                int before = count[0];
                                Thread.yield();
                                count[0] = before + 1;
                            }
                        }
                    }));
        }
        Running.allEnd(threads);
        assertThat(count[0]).isEqualTo(THREADS * 20);
    }

    @Test
    void shouldNotifyWaitersOfAMonitor() throws Exception {
        var monitor = new Object();
        boolean[] go = {false}; // guarded by the monitor
        List<Running<Void>> waiters = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            waiters.add(
                    Running.onVirtual(() -> {
                        synchronized (monitor) {
                            while (!go[0]) {
                                monitor.wait();
                            }
                        }
                    }));
        }
        waiters.forEach(waiter ->
                Await.until("it waits", () -> waiter.thread().getState() == Thread.State.WAITING));
        synchronized (monitor) {
            go[0] = true;
            monitor.notifyAll();
        }
        Running.allEnd(waiters);
    }

    @Test
    void shouldHandOverBetweenThreadsOfEachKind() throws Exception {
        for (ThreadKind kind : ThreadKind.values()) {
            var there = new SynchronousQueue<Integer>();
            var back = new SynchronousQueue<Integer>();
            Running<Void> echo =
                    Running.on(
                            kind.factory(),
                            () -> {
                                for (int i = 0; i < ROUNDS; i++) {
                                    back.put(there.take());
                                }
                            });
            Running<Void> caller =
                    Running.onVirtual(() -> {
                        for (int i = 0; i < ROUNDS; i++) {
                            there.put(i);
                            assertThat(back.take()).isEqualTo(i);
                        }
                    });
            caller.result();
            echo.result();
        }
    }

    @Test
    void shouldBeUnparkedByAPlatformThreadEachTime() throws Exception {
        var turn = new AtomicInteger(); // even: the virtual thread's
        Thread platform = Thread.currentThread();
        Running<Void> virtual =
                Running.onVirtual(() -> takeTurns(turn, 0, () -> LockSupport.unpark(platform)));
        takeTurns(turn, 1, () -> LockSupport.unpark(virtual.thread()));
        virtual.result();
    }

    private static void takeTurns(AtomicInteger turn, int parity, Runnable unparkOther) {
        while (true) {
            int now = turn.get();
            if (now >= 2 * ROUNDS) {
                return;
            }
            if (now % 2 == parity) {
                turn.set(now + 1);
                unparkOther.run();
            } else {
                LockSupport.park();
            }
        }
    }

    // ---- fairness ----

    @Test
    void shouldNotStarveAThreadBesidesYieldingOnes() throws Exception {
        var done = new AtomicBoolean();
        List<Running<Void>> yielding = yieldUntil(done);
        Running.onVirtual(() -> done.set(true)).result();
        Running.allEnd(yielding);
    }

    @Test
    void shouldNotStarveASleeperBesidesYieldingOnes() throws Exception {
        var done = new AtomicBoolean();
        List<Running<Void>> yielding = yieldUntil(done);
        Running.onVirtual(
                        () -> {
                            Thread.sleep(1);
                            done.set(true);
                        })
                .result();
        Running.allEnd(yielding);
    }

    /** More yielding threads than carriers. */
    private List<Running<Void>> yieldUntil(AtomicBoolean done) {
        List<Running<Void>> yielding = new ArrayList<>();
        for (int i = 0; i < 2 * carriers(); i++) {
            yielding.add(
                    Running.onVirtual(() -> {
                        while (!done.get()) {
                            Thread.yield();
                        }
                    }));
        }
        return yielding;
    }

    @Test
    void shouldRunManyThreadsThatMeet() throws Exception {
        meet();
    }

    private static void meet() throws Exception {
        var barrier = new CyclicBarrier(THREADS);
        List<Running<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(
                    Running.onVirtual(() -> {
                        for (int round = 0; round < 20; round++) {
                            barrier.await();
                        }
                    }));
        }
        Running.allEnd(threads);
    }

    @Test
    void shouldRunManyTasks() throws Exception {
        List<Future<Integer>> results = new ArrayList<>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < TASKS; i++) {
                int number = i;
                results.add(
                        executor.submit(() -> {
                            Thread.sleep(1);
                            return number;
                        }));
            }
        }
        for (int i = 0; i < TASKS; i++) {
            assertThat(results.get(i).get()).isEqualTo(i);
        }
    }

    // ---- what belongs to a thread ----

    @Test
    void shouldKeepAThreadsLocalsAcrossCarriers() throws Exception {
        var local = new ThreadLocal<Integer>();
        List<Running<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            threads.add(
                    Running.onVirtual(() -> {
                        local.set(number);
                        for (int round = 0; round < 20; round++) {
                            Thread.yield();
                            assertThat(local.get()).isEqualTo(number);
                        }
                    }));
        }
        Running.allEnd(threads);
    }

    @Test
    void shouldEndASleepByAnInterrupt() throws Exception {
        expectInterrupted(() -> Thread.sleep(TimeUnit.NANOSECONDS.toMillis(HOUR_NANOS)));
    }

    @Test
    void shouldEndAWaitByAnInterrupt() throws Exception {
        var monitor = new Object();
        expectInterrupted(() -> {
            synchronized (monitor) {
                while (true) {
                    monitor.wait();
                }
            }
        });
    }

    @Test
    void shouldEndAnAwaitByAnInterrupt() throws Exception {
        expectInterrupted(new CountDownLatch(1)::await);
    }

    private static void expectInterrupted(Running.Body body) throws Exception {
        Running<Void> sleeper =
                Running.onVirtual(() -> {
                    assertThatThrownBy(body::run).isInstanceOf(InterruptedException.class);
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                });
        Await.until(
                "it waits",
                () ->
                        sleeper.thread().getState() == Thread.State.WAITING
                                || sleeper.thread().getState() == Thread.State.TIMED_WAITING);
        sleeper.thread().interrupt();
        sleeper.result();
    }

    // ---- errors ----

    @Test
    void shouldSurviveWhatItsThreadsThrow() throws Exception {
        for (Throwable thrown :
                List.of(
                        new IllegalStateException("thrown"),
                        new OutOfMemoryError("thrown"),
                        new StackOverflowError("thrown"))) {
            for (int i = 0; i < 2 * carriers(); i++) {
                var caught = new AtomicReference<Throwable>();
                Thread thread =
                        Thread.ofVirtual()
                                .uncaughtExceptionHandler((_, e) -> caught.set(e))
                                .start(() -> sneakyThrow(thrown));
                Await.ended(thread);
                assertThat(caught).hasValue(thrown);
            }
        }
        meet();
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneakyThrow(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @Test
    void shouldSurviveARealOverflowOfTheStack() throws Exception {
        for (int i = 0; i < 2 * carriers(); i++) {
            Running<?> deep =
                    Running.onVirtual(() ->
                            assertThatThrownBy(() -> recurse(0))
                                    .isInstanceOf(StackOverflowError.class));
            deep.result();
        }
        meet();
    }

    @SuppressWarnings("InfiniteRecursion") // that is the point
    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    @Test
    void shouldCountTheTasksItRuns() throws Exception {
        long before = LoomUring.counters().tasks;
        meet();
        Await.until("the counter moves", () -> LoomUring.counters().tasks >= before + THREADS);
    }
}
