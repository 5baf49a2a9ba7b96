package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Await;
import io.loomuring.testing.Running;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Many more threads that compute than processors. */
class ManyHogsTest {
    private static final int CARRIERS = 2;
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final int COMPUTING_MAX = 8 * PROCESSORS;
    private static final int HOGS = COMPUTING_MAX + 24;

    @BeforeAll
    static void install() {
        Installed.install(CARRIERS, 2 * HOGS, true);
    }

    @Test
    void shouldNotBecomeACarrierEach() throws Exception {
        var scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
        var done = new AtomicBoolean();
        List<Running<Void>> hogs = new ArrayList<>();
        try {
            for (int i = 0; i < HOGS; i++) {
                hogs.add(
                        Running.onVirtual(() -> {
                            while (!done.get()) {
                                Thread.onSpinWait();
                            }
                        }));
            }
            Await.until("one takes over", () -> scheduler.getPoolSize() > CARRIERS + 1);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4); // for too many to start
            while (System.nanoTime() - end < 0) {
                assertThat(scheduler.getPoolSize())
                        .as("the one in use and the one kept ready besides")
                        .isLessThanOrEqualTo(COMPUTING_MAX + 2);
                Thread.sleep(10);
            }
        } finally {
            done.set(true);
        }
        Running.allEnd(hogs);
        assertThat(Running.onVirtual(() -> 1).result()).isOne();
    }
}
