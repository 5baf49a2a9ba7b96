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

/** One carrier, whose run queue has no thieves until there are more. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // a group that has grown stays grown
class GrowFromOneTest {
    private static VirtualThreadSchedulerMXBean scheduler;

    @BeforeAll
    static void install() {
        Installed.install(1, true);
        scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
    }

    @Test
    @Order(1)
    void shouldStayAsItIsWhenTheKernelRefusesAnotherRing() throws Exception {
        Running.onPlatform(
                        () -> {
                            Seccomp.refuse(Seccomp.IO_URING_SETUP, Errno.ENOMEM);
                            assertThatThrownBy(() -> scheduler.setParallelism(2))
                                    .isInstanceOf(IllegalStateException.class)
                                    .hasMessageContaining("io_uring_setup");
                        })
                .result();
        assertThat(scheduler.getParallelism()).isOne();
        assertThat(scheduler.getPoolSize()).isOne();
        assertThat(Spread.ofChildren(() -> true)).hasSize(1);
    }

    @Test
    @Order(2)
    void shouldLetCarriersAddedLaterTakeItsTasks() throws Exception {
        scheduler.setParallelism(2);
        long before = LoomUring.counters().steals;
        assertThat(Spread.ofChildren(() -> LoomUring.counters().steals > before)).hasSize(2);
        Await.until("idle", () -> scheduler.getMountedVirtualThreadCount() == 0);
    }
}
