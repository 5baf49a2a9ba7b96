package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Await;
import io.loomuring.testing.Running;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An owner that does nothing but fill and enter, and rescuers that do nothing but rescue: the owner
 * word changes hands as often as it can.
 */
final class OwnerRace {
    private static final int RESCUERS = 2;
    private static final int OPS = 64;
    private static final long DURATION_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final RingFixture fixture;
    private final List<Op> ops = new ArrayList<>();
    private volatile boolean done;

    OwnerRace(RingFixture fixture) {
        this.fixture = fixture;
        for (int i = 0; i < OPS; i++) {
            ops.add(new Op(_ -> {}));
        }
    }

    void run() throws Exception {
        fixture.ring.enter(0); // arms the wake-up
        List<Running<Long>> rescuers = new ArrayList<>();
        for (int i = 0; i < RESCUERS; i++) {
            rescuers.add(Running.onPlatform(this::rescueUntilDone));
        }
        long submitted;
        try {
            submitted = submitAndEnter();
        } finally {
            done = true; // rescuers live until what they submitted has ended
        }
        long rescued = 0;
        for (Running<Long> rescuer : rescuers) {
            rescued += rescuer.result();
        }
        assertThat(rescued).as("completions that rescuers reaped").isPositive();
        assertThat(fixture.counters.operations).isEqualTo(submitted);
        assertThat(fixture.counters.completions).isEqualTo(submitted);
        assertThat(fixture.ring.inFlight()).isZero();
    }

    private long rescueUntilDone() {
        long reaped = 0;
        while (!done) {
            reaped += Math.max(0, fixture.ring.tryRescue());
        }
        return reaped;
    }

    private long submitAndEnter() {
        long submitted = 0;
        long end = System.nanoTime() + DURATION_NANOS;
        while (System.nanoTime() - end < 0) {
            for (Op op : ops) {
                if (!op.inFlight()) {
                    if (submitted >= OPS) { // each one's first life begins with its claim
                        assertThat(op.result()).isZero();
                        op.release();
                    }
                    RingFixture.claim(op);
                    op.prepNop();
                    assertThat(fixture.ring.submit(op)).isTrue();
                    submitted++;
                }
            }
            fixture.ring.enter(0);
        }
        for (Op op : ops) {
            Await.until(
                    "the end of " + op,
                    () -> {
                        fixture.ring.enter(0);
                        return !op.inFlight();
                    });
        }
        return submitted;
    }
}
