package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;

/** Installation into a program that has used the scheduler's MXBean, which keeps what it saw. */
class MXBeanBeforeInstallTest {
    private static final int CARRIERS = 3;
    private static final int WARM_UP = 300_000;

    private static VirtualThreadSchedulerMXBean scheduler;

    @Test
    void shouldShowItsCarriersThoughTheOldSchedulerWasCompiledIn() {
        scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
        scheduler.setParallelism(CARRIERS + 1);
        assertThat(timesShown(CARRIERS + 1)).isEqualTo(WARM_UP);
        Installed.install(CARRIERS, true);
        assertThat(timesShown(CARRIERS)).isEqualTo(WARM_UP);
        assertThat(scheduler.getPoolSize()).isEqualTo(CARRIERS);
    }

    private static int timesShown(int parallelism) {
        int times = 0;
        for (int i = 0; i < WARM_UP; i++) {
            if (scheduler.getParallelism() == parallelism) {
                times++;
            }
        }
        return times;
    }
}
