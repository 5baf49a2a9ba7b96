package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.Arena;
import java.util.concurrent.CountDownLatch;

/** Another thread in the ring of an owner that is stuck, or not. */
class RingRescueTest {
    @ParameterizedTest
    @EnumSource(value = SetupFlags.class, names = "DEFERRED", mode = EnumSource.Mode.EXCLUDE)
    void shouldSubmitAndReapForAnOwnerThatDoesNot(SetupFlags flags) throws Exception {
        try (var fixture = new RingFixture(8, 16, flags)) {
            Op op = claimedOp();
            op.prepNop();
            fixture.ring.submit(op);
            Running<Integer> rescuer =
                    Running.onPlatform(() -> {
                        int reaped;
                        do {
                            reaped = fixture.ring.tryRescue();
                        } while (reaped == 0 && flags.polled()); // the kernel's thread is at it
                        return reaped;
                    });
            assertThat(rescuer.result()).isOne();
            assertThat(op.inFlight()).isFalse();
            assertThat(op.result()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(value = SetupFlags.class, names = "DEFERRED", mode = EnumSource.Mode.EXCLUDE)
    void shouldSubmitReceivesThatTheOwnerHeldBack(SetupFlags flags) throws Exception {
        try (var fixture = new RingFixture(8, 16, flags);
                SocketPair pair = SocketPair.open();
                Arena arena = Arena.ofShared()) {
            Op op = claimedOp();
            op.prepRecv(pair.fd(), arena.allocate(1).address(), 1, 0);
            fixture.ring.submit(op);
            pair.peerSends((byte) 1);
            Running<Void> rescuer =
                    Running.onPlatform(() ->
                            Await.until(
                                    "the receive ends",
                                    () -> fixture.ring.tryRescue() >= 0 && !op.inFlight()));
            rescuer.result();
            assertThat(op.result()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldLeaveTheRingToAnOwnerThatWaitsInIt(SetupFlags flags) throws Exception {
        var opened = new CountDownLatch(1);
        var fixture = new RingFixture[1];
        Running<Void> owner =
                Running.onPlatform(() -> {
                    try (var mine = new RingFixture(8, 16, flags)) {
                        fixture[0] = mine;
                        opened.countDown();
                        mine.ring.enter(-1);
                    }
                });
        opened.await();
        Ring ring = fixture[0].ring;
        Await.until("the owner is in the kernel", () -> ring.tryRescue() < 0);
        for (int attempt = 0; attempt < 1000; attempt++) {
            assertThat(ring.tryRescue()).isEqualTo(-1);
        }
        fixture[0].wake();
        owner.result();
    }

    @Test
    void shouldKeepOwnerAndRescuersApart() throws Exception {
        try (var fixture = new RingFixture(8, 16, SetupFlags.COOPERATIVE)) {
            new OwnerRace(fixture).run();
        }
    }

    @ParameterizedTest
    @EnumSource(value = SetupFlags.class, names = "DEFERRED", mode = EnumSource.Mode.EXCLUDE)
    void shouldLoseNothingAmongOwnerAndRescuers(SetupFlags flags) {
        Seeds.withRandom(random -> {
            try (var fixture = new RingFixture(8, 16, flags)) {
                new RescueRace(fixture, random).run();
            }
        });
    }
}
