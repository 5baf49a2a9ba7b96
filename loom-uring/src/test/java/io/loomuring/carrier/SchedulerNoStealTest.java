package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two carriers that don't steal from each other. */
class SchedulerNoStealTest extends SchedulerContract {
    @BeforeAll
    static void install() {
        Installed.install(2, false);
    }

    @Override
    int carriers() {
        return 2;
    }

    @Test
    void shouldKeepTheChildrenOfAThreadOnItsCarrier() throws Exception {
        assertThat(Spread.ofChildren(() -> true)).hasSize(1);
    }

    @Test
    void shouldSpreadTheThreadsThatAPlatformThreadStarts() throws Exception {
        assertThat(Spread.ofThreadsOfAPlatformThread(2)).hasSize(2);
    }
}
