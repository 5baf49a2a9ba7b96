package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;
import io.loomuring.UringSelectorProvider;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.concurrent.Executors;

/** Threads on our carriers beside those of the JDK, until the carriers are installed. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // installing is for good
class ThreadFactoryTest {
    private static String carrierOfAThreadOfTheFactory() throws Exception {
        return Running.on(LoomUring.threadFactory(), Installed::carrierName).result();
    }

    @Test
    @Order(1)
    void shouldCarryItsThreadsAlone() throws Exception {
        assertThat(Installed.isOurs(carrierOfAThreadOfTheFactory())).isTrue();
        assertThat(Running.onVirtual(Installed::carrierName).result()).startsWith("ForkJoinPool-");
    }

    @Test
    @Order(1)
    void shouldCarryTheDescendantsOfItsThreads() throws Exception {
        Running<String> parent =
                Running.on(
                        LoomUring.threadFactory(),
                        () -> Running.onVirtual(Installed::carrierName).result());
        assertThat(Installed.isOurs(parent.result())).isTrue();
    }

    @Test
    @Order(1)
    void shouldCarryAnExecutorsThreadsWhereverTheyAreCreated() throws Exception {
        try (var executor = Executors.newThreadPerTaskExecutor(LoomUring.threadFactory())) {
            Running<String> foreign =
                    Running.onVirtual(() -> executor.submit(Installed::carrierName).get());
            assertThat(Installed.isOurs(foreign.result())).isTrue();
        }
    }

    @Test
    @Order(1)
    void shouldProvideChannelsForAllThreadsAndInstallNothingByIt() throws Exception {
        LoomUring.threadFactory();
        assertThat(SelectorProvider.provider()).isInstanceOf(UringSelectorProvider.class);
        long before = LoomUring.counters().operations;
        try (var channel = SocketChannel.open()) {
            assertThat(channel.getClass().getPackageName()).isEqualTo("io.loomuring.net");
            try (var listener = ServerSocketChannel.open().bind(null)) {
                channel.connect(listener.getLocalAddress());
            }
        }
        assertThat(LoomUring.counters().operations).isGreaterThan(before);
        assertThat(Running.onVirtual(Installed::carrierName).result()).startsWith("ForkJoinPool-");
    }

    @Test
    @Order(1)
    void shouldMakeThreadsAsTheJdkDoes() {
        Thread thread = LoomUring.threadFactory().newThread(() -> {});
        assertThat(thread.isVirtual()).isTrue();
        assertThat(thread.isDaemon()).isTrue();
        assertThat(thread.getName()).isEmpty();
        assertThat(thread.getState()).isEqualTo(Thread.State.NEW);
        assertThatThrownBy(() -> LoomUring.threadFactory().newThread(null))
                .isInstanceOf(NullPointerException.class);
    }

    @Test
    @Order(2)
    void shouldGoOnWhenTheCarriersAreInstalled() throws Exception {
        assertThat(LoomUring.install()).isTrue();
        assertThat(LoomUring.install()).as("a second time").isTrue();
        assertThat(Installed.isOurs(carrierOfAThreadOfTheFactory())).isTrue();
        assertThat(Installed.isOurs(Running.onVirtual(Installed::carrierName).result())).isTrue();
    }
}
