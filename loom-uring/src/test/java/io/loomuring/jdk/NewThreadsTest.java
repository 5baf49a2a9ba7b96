package io.loomuring.jdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Native;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Which scheduler new virtual threads get, by the hook and by a factory. */
class NewThreadsTest {
    @BeforeAll
    static void open() throws UnsupportedJdkException {
        Native.load();
        JdkInternals.open();
    }

    @Test
    void shouldNoticeThatNewThreadsHaveAnotherScheduler() throws Exception {
        try (var other = new ForkJoinPool(1)) {
            ForkJoinPool jdks = JdkInternals.defaultScheduler();
            assertThatThrownBy(() -> JdkInternals.checkNewThreadsUse(other))
                    .isInstanceOf(UnsupportedJdkException.class)
                    .hasMessageContaining(jdks.toString());
            assertThat(JdkInternals.setDefaultScheduler(other)).isEqualTo(jdks);
            JdkInternals.checkNewThreadsUse(other);
            JdkInternals.setDefaultScheduler(jdks);
            JdkInternals.checkNewThreadsUse(jdks);
        }
    }

    @Test
    void shouldMakeThreadsOfAnyScheduler() throws Exception {
        var tasks = new AtomicInteger();
        try (var executor = Executors.newSingleThreadExecutor()) {
            ThreadFactory factory =
                    JdkInternals.threadFactory(task -> {
                        tasks.incrementAndGet();
                        executor.execute(task);
                    });
            Running<Boolean> thread = Running.on(factory, () -> Thread.currentThread().isVirtual());
            assertThat(thread.result()).isTrue();
        }
        assertThat(tasks).hasPositiveValue();
    }

    @Test
    void shouldTakeNoOtherSchedulerForACopyOfOurs() throws UnsupportedJdkException {
        String jdks = ForkJoinPool.class.getName();
        assertThat(JdkInternals.schedulerOfAnotherCopy("io.loomuring.carrier.CarrierGroup"))
                .isNull();
        assertThat(JdkInternals.schedulerOfAnotherCopy(jdks))
                .as("of another loader")
                .isEqualTo(JdkInternals.defaultScheduler());
    }
}
