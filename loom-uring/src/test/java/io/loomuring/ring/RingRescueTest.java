package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.abi.SocketAbi;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;
import io.loomuring.testing.SocketPair;
import io.loomuring.testing.UninterruptibleSleep;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
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

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLetOperationsMoveOnOnlyIfTheOwnerHasNotRun(boolean asleep) throws Exception {
        List<Op> movable = new ArrayList<>();
        try (var fifo = new UninterruptibleSleep();
                SocketPair pair = SocketPair.open();
                Arena arena = Arena.ofShared()) {
            var fixture = new RingFixture[1];
            Running<Void> owner =
                    Running.onPlatform(() -> {
                        Op intoMemory = claimedOp();
                        intoMemory.prepRecv(pair.fd(), arena.allocate(1).address(), 1, 0);
                        for (int i = 0; i < 20; i++) { // more than the queue has room for
                            Op op = claimedOp();
                            op.prepPollAdd(pair.fd(), SocketAbi.POLLIN);
                            movable.add(op);
                        }
                        Op intoArray = claimedOp();
                        intoArray.prepRecvSelect(pair.fd(), new byte[1], 0, 1);
                        movable.add(intoArray);
                        try (var mine = new RingFixture(8, 16, SetupFlags.COOPERATIVE)) {
                            fixture[0] = mine;
                            movable.forEach(mine.ring::submit);
                            mine.ring.submit(intoMemory);
                            mine.ring.enter(0);

                            fifo.sleep();

                            movable.forEach(mine::await);
                            mine.enterUntilQuiet();
                            assertThat(mine.ring.inFlight()).isOne();
                            assertThat(mine.counters.staleCompletions).isZero();
                            assertThat(mine.cancelAndAwait(intoMemory)).isEqualTo(-Errno.ECANCELED);
                            assertThat(intoMemory.isToBeRepeated()).isFalse();
                        }
                    });
            Await.until("it sleeps", () -> UninterruptibleSleep.sleepers() == 1);
            Ring ring = fixture[0].ring;
            pair.peerSends((byte) 1); // each would have completed
            assertThat(ring.beginRescue()).isTrue();
            assertThat(ring.moveOn(() -> asleep)).isEqualTo(asleep ? movable.size() : 0);
            ring.endRescue();
            assertThat(movable).allMatch(op -> op.inFlight() != asleep);
            assertThat(fixture[0].counters.moved).isEqualTo(asleep ? movable.size() : 0);
            assertThat(pair.drain()).isOne(); // none took it, and none will
            fifo.end();
            owner.result();
            assertThat(movable).allMatch(Op::isToBeRepeated);
        }
    }
}
