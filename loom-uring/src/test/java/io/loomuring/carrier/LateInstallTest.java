package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Installation into a program whose code for virtual threads has been compiled already. */
class LateInstallTest {
    private static final int WARM_UP = 200_000;
    private static final int THREADS = 1000;

    @Test
    void shouldCarryEveryThreadThoughTheOldSchedulerWasCompiledIn() throws Exception {
        assertThat(threadsOfOurs(WARM_UP)).isZero();
        Installed.install(2, true);
        assertThat(threadsOfOurs(THREADS)).isEqualTo(THREADS);
    }

    private static int threadsOfOurs(int threads) throws InterruptedException {
        var ours = new AtomicInteger();
        var ended = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            boolean look = threads - i <= THREADS;
            Thread.ofVirtual()
                    .start(() -> {
                        if (look && Installed.isOurs(Installed.carrierName())) {
                            ours.incrementAndGet();
                        }
                        ended.countDown();
                    });
        }
        ended.await();
        return ours.get();
    }
}
