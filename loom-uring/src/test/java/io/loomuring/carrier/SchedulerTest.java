package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Two carriers, of which an idle one takes tasks of a busy one. */
class SchedulerTest extends SchedulerContract {
    private static final int CHILDREN = 1000;

    @BeforeAll
    static void install() {
        Installed.install(2, true);
    }

    @Override
    int carriers() {
        return 2;
    }

    @Test
    void shouldSpreadTheChildrenOfAThreadThatGoesOn() throws Exception {
        long before = LoomUring.counters().steals;
        assertThat(Spread.ofChildren(() -> LoomUring.counters().steals > before)).hasSize(2);
    }

    @Test
    void shouldSpreadTheThreadsThatAPlatformThreadStarts() throws Exception {
        assertThat(Spread.ofThreadsOfAPlatformThread(2)).hasSize(2);
    }

    @Test
    void shouldRunTheChildrenOfAThreadThatKeepsItsCarrier() throws Exception {
        Running<Void> hog =
                Running.onVirtual(() -> {
                    var run = new CountDownLatch(CHILDREN);
                    List<Running<Void>> children = new ArrayList<>();
                    for (int i = 0; i < CHILDREN; i++) {
                        children.add(Running.onVirtual(run::countDown));
                    }
                    while (run.getCount() > 0) {
                        Thread.onSpinWait(); // never parks
                    }
                    Running.allEnd(children);
                });
        hog.result();
    }

    @Test
    void shouldBeInstalledOnce() {
        assertThat(LoomUring.install()).isTrue();
        assertThat(LoomUring.counters().operations).isNotNegative();
    }
}
