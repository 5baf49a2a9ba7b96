package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.util.Set;

/** Carriers that steal from each other. */
class ResizeTest extends ResizeContract {
    @BeforeAll
    static void install() {
        install(true);
    }

    @Test
    void shouldLetCarriersStealAgain() throws Exception {
        hog(CARRIERS);
        scheduler.setParallelism(1);
        done.set(true);
        Running.allEnd(hogs);
        Await.until("all sleep", () -> scheduler.getMountedVirtualThreadCount() == 0);
        Running<Set<String>> onFirst =
                Running.onVirtual(() -> {
                    scheduler.setParallelism(CARRIERS);
                    long before = LoomUring.counters().steals;
                    return Spread.ofChildren(() -> LoomUring.counters().steals > before);
                });
        assertThat(onFirst.result()).hasSizeGreaterThanOrEqualTo(CARRIERS);
    }
}
