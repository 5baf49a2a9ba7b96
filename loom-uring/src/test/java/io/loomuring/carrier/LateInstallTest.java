package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.UringSelectorProvider;
import io.loomuring.net.UringSocketChannel;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.concurrent.atomic.AtomicInteger;

/** Installation into a program whose code for virtual threads and channels has been compiled. */
class LateInstallTest {
    private static final int WARM_UP = 300_000;
    private static final int THREADS = 1000;

    @BeforeAll
    static void install() throws Exception {
        assertThat(threadsOfOurs(WARM_UP)).isZero();
        assertThat(providersOfOurs(WARM_UP)).isZero();
        Installed.install(2, true);
    }

    @Test
    void shouldCarryEveryThreadThoughTheOldSchedulerWasCompiledIn() throws Exception {
        assertThat(threadsOfOurs(THREADS)).isEqualTo(THREADS);
    }

    @Test
    void shouldProvideEveryChannelThoughTheOldProviderWasCompiledIn() throws Exception {
        assertThat(providersOfOurs(WARM_UP)).isEqualTo(WARM_UP);
        try (var channel = SocketChannel.open()) {
            assertThat(channel).isInstanceOf(UringSocketChannel.class);
        }
    }

    private static int providersOfOurs(int times) {
        int ours = 0;
        for (int i = 0; i < times; i++) {
            if (SelectorProvider.provider() instanceof UringSelectorProvider) {
                ours++;
            }
        }
        return ours;
    }

    /** One after the other, which gives the JIT the time to compile how they are created. */
    private static int threadsOfOurs(int threads) throws InterruptedException {
        var ours = new AtomicInteger();
        for (int i = 0; i < threads; i++) {
            boolean look = threads - i <= THREADS;
            Thread.ofVirtual()
                    .start(() -> {
                        if (look && Installed.isOurs(Installed.carrierName())) {
                            ours.incrementAndGet();
                        }
                    })
                    .join();
        }
        return ours.get();
    }
}
