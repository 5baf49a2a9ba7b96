package io.loomuring.carrier;

import static io.loomuring.carrier.Installed.carrierName;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Errno;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;
import io.loomuring.testing.SocketPair;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The JDK's MXBean changes the number of carriers, and tells what they do. */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of the ways to move
abstract class ResizeContract {
    static final int CARRIERS = 2;
    private static final int CARRIERS_MAX = 6;
    private static final int THREADS = 60;
    private static final int ROUNDS = 2_000;
    private static final long SLEEP_MILLIS = 200;
    private static final String FIRST = "loom-uring-carrier-1";

    static VirtualThreadSchedulerMXBean scheduler;

    final AtomicBoolean done = new AtomicBoolean();
    final List<Running<?>> hogs = new ArrayList<>();
    private final Set<String> hogged = new ConcurrentSkipListSet<>();

    static void install(boolean stealing) {
        Installed.install(CARRIERS, CARRIERS_MAX, stealing);
        scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
    }

    @BeforeEach
    void startAsInstalled() {
        scheduler.setParallelism(CARRIERS);
    }

    @AfterEach
    void endHogs() throws Exception {
        done.set(true);
        Running.allEnd(hogs);
    }

    /** Keeps as many carriers busy as there are. */
    void hog(int carriers) {
        for (int i = 0; i < carriers; i++) {
            hogs.add(
                    Running.onVirtual(() -> {
                        hogged.add(carrierName());
                        while (!done.get()) {
                            Thread.onSpinWait();
                        }
                    }));
        }
        Await.until(carriers + " carriers are hogged", () -> hogged.size() == carriers);
    }

    /** Where threads run that take the processor many times. */
    private static Set<String> carriersUsed() throws Exception {
        var names = new ConcurrentSkipListSet<String>();
        List<Running<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(
                    Running.onVirtual(() -> {
                        for (int round = 0; round < 20; round++) {
                            names.add(carrierName());
                            Thread.yield();
                        }
                    }));
        }
        Running.allEnd(threads);
        return names;
    }

    // ---- growing ----

    @ParameterizedTest
    @ValueSource(ints = {CARRIERS, CARRIERS + 1, CARRIERS_MAX})
    void shouldMountAsManyThreadsAsAskedFor(int parallelism) {
        scheduler.setParallelism(parallelism);
        assertThat(scheduler.getParallelism()).isEqualTo(parallelism);
        assertThat(scheduler.getPoolSize()).isGreaterThanOrEqualTo(parallelism);
        hog(parallelism);
        assertThat(scheduler.getMountedVirtualThreadCount()).isEqualTo(parallelism);
    }

    @Test
    void shouldCountNoThreadAsMountedWhenAllHaveEnded() throws Exception {
        hog(CARRIERS);
        done.set(true);
        Running.allEnd(hogs);
        Await.until("none mounted", () -> scheduler.getMountedVirtualThreadCount() == 0);
    }

    @Test
    void shouldBeResizedByItsOwnThreads() throws Exception {
        Running.onVirtual(() -> scheduler.setParallelism(CARRIERS_MAX)).result();
        hog(CARRIERS_MAX);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, CARRIERS_MAX + 1, Integer.MAX_VALUE})
    void shouldRefuseSizesThatItCannotHave(int parallelism) {
        assertThatThrownBy(() -> scheduler.setParallelism(parallelism))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(scheduler.getParallelism()).isEqualTo(CARRIERS);
    }

    @Test
    void shouldCountQueuedThreads() {
        scheduler.setParallelism(CARRIERS_MAX);
        hog(CARRIERS_MAX); // no spares are left
        for (int i = 0; i < THREADS; i++) {
            Thread.ofVirtual().start(() -> {});
        }
        Await.until(
                "all are counted, wherever the watchdog has put them",
                () -> scheduler.getQueuedVirtualThreadCount() == THREADS);
        done.set(true);
        Await.until("none queued", () -> scheduler.getQueuedVirtualThreadCount() == 0);
    }

    // ---- shrinking ----

    @Test
    void shouldRunNothingOnRetiredCarriers() throws Exception {
        scheduler.setParallelism(1);
        expectTheFirstAlone();
        assertThat(scheduler.getParallelism()).isOne();
    }

    /** Spares that were called while a carrier was stuck, or had no processor, are dismissed. */
    private static void expectTheFirstAlone() {
        Await.until(
                "the first carrier alone runs threads",
                () -> {
                    try {
                        return carriersUsed().equals(Set.of(FIRST));
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
    }

    @Test
    void shouldHandOnWhatWaitsBehindAThreadThatKeepsARetiredCarrier() throws Exception {
        var children = new ConcurrentLinkedQueue<Running<String>>();
        var hogging = new AtomicInteger();
        for (int i = 0; i < CARRIERS; i++) {
            hogs.add(
                    Running.onVirtual(() -> {
                        spinUntil(() -> hogging.get() >= CARRIERS, hogging);
                        for (int child = 0; child < THREADS; child++) {
                            children.add(Running.onVirtual(Installed::carrierName));
                        }
                        spinUntil(done::get, hogging);
                    }));
        }
        Await.until("children wait", () -> hogging.get() == 2 * CARRIERS);
        scheduler.setParallelism(1);
        done.set(true);
        Running.allEnd(children);
        Running.allEnd(hogs);
        expectTheFirstAlone();
    }

    /** Without leaving the carrier. */
    private static void spinUntil(BooleanSupplier condition, AtomicInteger spinning) {
        spinning.incrementAndGet();
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldRunWhatWaitsWhileRetiredCarriersAreKept() throws Exception {
        hog(CARRIERS - 1);
        scheduler.setParallelism(1);
        List<Running<String>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(Running.onVirtual(Installed::carrierName));
        }
        Running.allEnd(threads);
    }

    @Test
    void shouldKeepDeadlinesOfRetiredCarriers() throws Exception {
        scheduler.setParallelism(CARRIERS_MAX);
        var sleeping = new AtomicInteger();
        List<Running<String>> sleepers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            sleepers.add(
                    Running.onVirtual(() -> {
                        sleeping.incrementAndGet();
                        Thread.sleep(SLEEP_MILLIS);
                        return carrierName();
                    }));
        }
        Await.until("all sleep", () -> sleeping.get() == THREADS);
        scheduler.setParallelism(1);
        Running.allEnd(sleepers);
        expectTheFirstAlone();
    }

    @Test
    void shouldCompleteOrCancelOperationsInFlightOnRetiredCarriers() throws Exception {
        scheduler.setParallelism(CARRIERS_MAX);
        List<SocketPair> pairs = new ArrayList<>();
        List<Op> ops = new ArrayList<>();
        List<Running<String>> receivers = new ArrayList<>();
        List<Integer> results = new ArrayList<>(); // guarded by itself
        var homes = new ConcurrentSkipListSet<String>();
        try (Arena arena = Arena.ofShared()) {
            for (int i = 0; i < THREADS; i++) {
                SocketPair pair = SocketPair.open();
                pairs.add(pair);
                var op = new Op(_ -> {});
                ops.add(op);
                long memory = arena.allocate(8).address();
                receivers.add(
                        Running.onVirtual(() -> {
                            homes.add(carrierName());
                            assertThat(op.tryClaim()).isTrue();
                            int n = CarrierIo.recv(op, pair.fd(), memory, 8, 0, 0);
                            synchronized (results) {
                                results.add(n);
                            }
                            return carrierName();
                        }));
            }
            for (Op op : ops) {
                Await.until("in flight", op::inFlight);
            }
            assertThat(homes).as("rings in use").hasSizeGreaterThan(1);
            scheduler.setParallelism(1);
            for (int i = 0; i < THREADS; i += 2) {
                pairs.get(i).peerSends((byte) 1);
                ops.get(i + 1).cancel(Op.CLOSE);
            }
            Running.allEnd(receivers);
            expectTheFirstAlone();
            assertThat(results).containsOnly(1, -Errno.ECANCELED);
        } finally {
            pairs.forEach(SocketPair::peerShutsDown);
            pairs.forEach(SocketPair::close);
        }
    }

    @Test
    void shouldUseRetiredCarriersAgain() {
        scheduler.setParallelism(CARRIERS_MAX);
        int threads = scheduler.getPoolSize();
        scheduler.setParallelism(1);
        scheduler.setParallelism(CARRIERS_MAX);
        assertThat(scheduler.getPoolSize()).isEqualTo(threads);
        hog(CARRIERS_MAX);
    }

    @Test
    void shouldLoseNoThreadWhileItIsResized() throws Exception {
        var barrier = new CyclicBarrier(THREADS / 3);
        var stop = new AtomicBoolean();
        List<Running<Void>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int kind = i % 3;
            threads.add(
                    Running.onVirtual(() -> {
                        for (int round = 0; round < ROUNDS; round++) {
                            switch (kind) {
                                case 0 -> barrier.await();
                                case 1 -> Thread.yield();
                                default -> LockSupport.parkNanos(1_000);
                            }
                        }
                    }));
        }
        Running<Void> resizer =
                Running.onPlatform(() ->
                        Seeds.withRandom(random -> {
                            while (!stop.get()) {
                                scheduler.setParallelism(random.nextInt(1, CARRIERS_MAX + 1));
                            }
                        }));
        try {
            Running.allEnd(threads);
        } finally {
            stop.set(true);
        }
        resizer.result();
    }

    // ---- what jcmd shows ----

    @Test
    void shouldDescribeItselfAsAForkJoinPoolDoes() throws Exception {
        String text = Running.onVirtual(() -> JdkInternals.defaultScheduler().toString()).result();
        assertThat(text)
                .startsWith(CarrierGroup.class.getName() + "@")
                .contains("[Running, parallelism = " + CARRIERS + ", size = ")
                .contains(", active = 1, ")
                .contains(", tasks = 0, submissions = 0]");
    }
}
