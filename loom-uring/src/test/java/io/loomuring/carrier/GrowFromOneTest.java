package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;
import io.loomuring.abi.Errno;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

import java.lang.management.ManagementFactory;

/** One carrier that becomes two. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // a group that has grown stays grown
class GrowFromOneTest {
    private static final int CARRIERS_MAX = 4;

    private static VirtualThreadSchedulerMXBean scheduler;

    @BeforeAll
    static void install() {
        Installed.install(1, CARRIERS_MAX, true);
        scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
    }

    @Test
    @Order(1)
    void shouldStayAsItIsWhenTheKernelRefusesAnotherRing() throws Exception {
        Running.onVirtual(() -> {}).result();
        Await.until("one is on standby", () -> scheduler.getPoolSize() == 2);
        Running.onPlatform(
                        () -> {
                            Seccomp.refuse(Seccomp.IO_URING_SETUP, Errno.ENOMEM);
                            assertThatThrownBy(() -> scheduler.setParallelism(CARRIERS_MAX))
                                    .isInstanceOf(IllegalStateException.class)
                                    .hasMessageContaining("io_uring_setup");
                        })
                .result();
        assertThat(scheduler.getParallelism()).isOne();
        assertThat(scheduler.getPoolSize()).isEqualTo(2);
    }

    @Test
    @Order(2)
    void shouldLetCarriersAddedLaterTakeItsTasks() throws Exception {
        scheduler.setParallelism(2);
        long before = LoomUring.counters().steals;
        assertThat(Spread.ofChildren(() -> LoomUring.counters().steals > before))
                .hasSizeGreaterThanOrEqualTo(2);
        Await.until("idle", () -> scheduler.getMountedVirtualThreadCount() == 0);
    }
}
