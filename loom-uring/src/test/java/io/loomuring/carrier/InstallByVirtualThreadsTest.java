package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;

/** Virtual threads that run already install the carriers, all at once. */
class InstallByVirtualThreadsTest {
    private static final int INSTALLERS = 8;

    private record Outcome(boolean installed, String carrier, String carrierOfChild) {}

    @Test
    void shouldCarryNewThreadsAndLeaveTheInstallersWhereTheyAre() throws Exception {
        System.setProperty("loomuring.carriers", "2");
        System.setProperty("jdk.virtualThreadScheduler.maxPoolSize", "2");
        var barrier = new CyclicBarrier(INSTALLERS);
        List<Running<Outcome>> installers = new ArrayList<>();
        for (int i = 0; i < INSTALLERS; i++) {
            installers.add(
                    Running.onVirtual(() -> {
                        barrier.await();
                        boolean installed = LoomUring.install();
                        String child = Running.onVirtual(Installed::carrierName).result();
                        return new Outcome(installed, Installed.carrierName(), child);
                    }));
        }
        for (Running<Outcome> installer : installers) {
            Outcome outcome = installer.result();
            assertThat(outcome.installed()).isTrue();
            assertThat(outcome.carrier()).startsWith("ForkJoinPool-");
            assertThat(outcome.carrierOfChild()).startsWith("ForkJoinPool-");
        }
        assertThat(Installed.isOurs(Running.onVirtual(Installed::carrierName).result())).isTrue();
        assertThat(
                        Thread.getAllStackTraces().keySet().stream()
                                .filter(thread -> thread instanceof Carrier))
                .hasSize(2);
    }
}
