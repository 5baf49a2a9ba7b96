package io.loomuring.carrier;

import static io.loomuring.carrier.Installed.carrierName;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.testing.Await;
import io.loomuring.testing.Pin;
import io.loomuring.testing.Running;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** One carrier, and up to two that take over for it. */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of the ways to move
class SpareTest {
    private static final int CARRIERS_MAX = 3;
    private static final String FIRST = "loom-uring-carrier-1";

    private static VirtualThreadSchedulerMXBean scheduler;

    private final AtomicBoolean done = new AtomicBoolean();
    private final List<Running<Void>> hogs = new ArrayList<>();

    @BeforeAll
    static void install() {
        Installed.install(1, CARRIERS_MAX, true);
        scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
    }

    @AfterEach
    void free() throws Exception {
        done.set(true);
        Running.allEnd(hogs);
    }

    private void hog(int count) {
        var names = new ConcurrentSkipListSet<String>();
        for (int i = 0; i < count; i++) {
            hogs.add(
                    Running.onVirtual(() ->
                            Pin.CRITICAL_SECTION.call(() -> {
                                names.add(carrierName());
                                while (!done.get()) {
                                    LockSupport.parkNanos(1_000_000);
                                }
                                return null;
                            })));
        }
        int carriers = Math.min(count, CARRIERS_MAX);
        Await.until(carriers + " carriers are hogged", () -> names.size() == carriers);
    }

    /** Where a thread runs that takes the processor a few times. */
    private static Set<String> carriersOfAThread() throws Exception {
        return Running.onVirtual(
                        () -> {
                            var names = new ConcurrentSkipListSet<String>();
                            for (int i = 0; i < 20; i++) {
                                names.add(carrierName());
                                Thread.yield();
                            }
                            return names;
                        })
                .result();
    }

    @Test
    void shouldHaveNoMoreCarriersThanTheJdksLimit() throws Exception {
        hog(CARRIERS_MAX + 1);
        Running<Void> waiting = Running.onVirtual(() -> {});
        assertThat(scheduler.getPoolSize()).isEqualTo(CARRIERS_MAX);
        assertThat(scheduler.getMountedVirtualThreadCount()).isEqualTo(CARRIERS_MAX);
        assertThat(scheduler.getParallelism()).isOne();
        assertThat(waiting.isDone()).isFalse();
        done.set(true);
        waiting.result();
        assertThat(scheduler.getPoolSize()).isEqualTo(CARRIERS_MAX);
    }

    @Test
    void shouldDismissSparesWhenTheOthersGetOn() throws Exception {
        hog(2);
        assertThat(carriersOfAThread()).doesNotContain(FIRST);
        done.set(true);
        Running.allEnd(hogs);
        Await.until("the first carrier alone runs threads", () -> usesTheFirstAlone());
    }

    private static boolean usesTheFirstAlone() {
        try {
            return carriersOfAThread().equals(Set.of(FIRST));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldTakeOverAtOnceWhenTheJdkSaysThatItBlocks() throws Exception {
        Process process = new ProcessBuilder("cat").start();
        long spares = LoomUring.counters().spares;
        Running<Integer> reader = Running.onVirtual(() -> process.getInputStream().read());
        Await.until("it blocks", () -> LoomUring.counters().spares > spares);
        assertThat(carriersOfAThread()).doesNotContain(FIRST);
        process.getOutputStream().close();
        assertThat(reader.result()).isNegative();
    }

    @Test
    void shouldCountWhatItDoes() {
        long stalls = LoomUring.counters().stalls;
        long spares = LoomUring.counters().spares;
        hog(1);
        Await.until("the stall is counted", () -> LoomUring.counters().stalls == stalls + 1);
        Await.until("the spare is counted", () -> LoomUring.counters().spares == spares + 1);
    }
}
