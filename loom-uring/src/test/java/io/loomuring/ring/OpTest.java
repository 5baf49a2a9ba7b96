package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.loomuring.abi.Errno;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;

/** The life of an operation: who may take which step, and what a cancel does in each state. */
class OpTest {
    private static final int THREADS = 4;
    private static final int CLAIMS = 500_000; // of each thread
    private static final int LIVES = 20_000;

    private RingFixture fixture;

    @BeforeEach
    void openRing() throws RingException {
        fixture = new RingFixture(8, 16, SetupFlags.COOPERATIVE);
    }

    @AfterEach
    void closeRing() {
        fixture.close();
    }

    private static Op freeOp() {
        return new Op(_ -> {});
    }

    private Op submittedNop() {
        Op op = claimedOp();
        op.prepNop();
        assertThat(fixture.ring.submit(op)).isTrue();
        return op;
    }

    // ---- claim, release, retire ----

    @Test
    void shouldBeClaimedOnceUntilReleased() {
        Op op = freeOp();
        assertThat(op.tryClaim()).isTrue();
        assertThat(op.tryClaim()).isFalse();
        op.release();
        assertThat(op.tryClaim()).isTrue();
    }

    @Test
    void shouldBeRetiredOnceAndForEver() {
        Op op = freeOp();
        assertThat(op.isRetired()).isFalse();
        assertThat(op.tryRetire()).isTrue();
        assertThat(op.isRetired()).isTrue();
        assertThat(op.tryRetire()).isFalse();
        assertThat(op.tryClaim()).isFalse();
    }

    @Test
    void shouldNotBeRetiredWhileClaimed() {
        Op op = claimedOp();
        assertThat(op.tryRetire()).isFalse();
        op.release();
        assertThat(op.tryRetire()).isTrue();
    }

    @Test
    void shouldExcludeClaimersFromEachOther() throws Exception {
        Op op = freeOp();
        int[] claims = {0}; // guarded by the claim
        var claimers = new ArrayList<Running<Void>>();
        for (int i = 0; i < THREADS; i++) {
            claimers.add(
                    Running.onPlatform(() -> {
                        for (int mine = 0; mine < CLAIMS; ) {
                            if (op.tryClaim()) {
                                claims[0]++;
                                mine++;
                                op.release();
                            } else {
                                Thread.onSpinWait();
                            }
                        }
                    }));
        }
        Running.allEnd(claimers);
        assertThat(claims[0]).isEqualTo(THREADS * CLAIMS);
    }

    @Test
    void shouldBeRetiredByOneOfManyThreads() throws Exception {
        for (int round = 0; round < 200; round++) {
            Op op = freeOp();
            var barrier = new CyclicBarrier(THREADS);
            var winners = new AtomicInteger();
            var retirers = new ArrayList<Running<Void>>();
            for (int i = 0; i < THREADS; i++) {
                retirers.add(
                        Running.onPlatform(() -> {
                            barrier.await();
                            if (op.tryRetire()) {
                                winners.incrementAndGet();
                            }
                        }));
            }
            Running.allEnd(retirers);
            assertThat(winners).hasValue(1);
        }
    }

    // ---- submission and completion ----

    @Test
    void shouldBeInFlightFromSubmissionToTheFinalCompletion() {
        Op op = claimedOp();
        op.prepNop();
        assertThat(op.inFlight()).isFalse();
        fixture.ring.submit(op);
        assertThat(op.inFlight()).isTrue();
        assertThat(op.tryRetire()).isFalse();
        assertThat(fixture.await(op)).isZero();
        assertThat(op.inFlight()).isFalse();
    }

    @Test
    void shouldBeInFlightOnceHandedOver() {
        Op op = claimedOp();
        op.prepNop();
        op.handOver();
        assertThat(op.inFlight()).isTrue();
        assertThat(fixture.submitAndAwait(op)).isZero();
    }

    @Test
    void shouldServeManyLivesInARow() {
        Op op = freeOp();
        for (int life = 0; life < LIVES; life++) {
            RingFixture.claim(op);
            op.prepNop();
            assertThat(fixture.submitAndAwait(op)).isZero();
            op.release();
        }
        assertThat(fixture.counters.operations).isEqualTo(LIVES);
    }

    // ---- cancel ----

    @Test
    void shouldHaveNothingToCancelWhenFree() {
        assertThat(freeOp().cancel(Op.CLOSE)).isFalse();
    }

    @Test
    void shouldHaveNothingToCancelWhenRetired() {
        Op op = freeOp();
        assertThat(op.tryRetire()).isTrue();
        assertThat(op.cancel(Op.CLOSE)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {Op.CLOSE, Op.INTERRUPT, Op.DEADLINE})
    void shouldRefuseSubmissionOnceCancelled(int reason) {
        Op op = claimedOp();
        op.prepNop();
        assertThat(op.cancel(reason)).isTrue();
        assertThat(fixture.ring.submit(op)).isFalse();
        assertThat(op.inFlight()).isFalse();
        assertThat(op.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(reason);
    }

    @Test
    void shouldStayCancelledForEverySubmissionOfTheClaim() {
        Op op = claimedOp();
        op.cancel(Op.CLOSE);
        for (int submission = 0; submission < 3; submission++) {
            op.prepNop();
            assertThat(fixture.ring.submit(op)).isFalse();
            op.handOver();
            assertThat(fixture.ring.submit(op)).isFalse();
        }
    }

    @Test
    void shouldForgetACancelWhenReleased() {
        Op op = claimedOp();
        op.cancel(Op.CLOSE);
        op.release();
        RingFixture.claim(op);
        assertThat(op.cancelReason()).isZero();
        op.prepNop();
        assertThat(fixture.submitAndAwait(op)).isZero();
    }

    @Test
    void shouldKeepTheFirstReason() {
        Op op = claimedOp();
        assertThat(op.cancel(Op.INTERRUPT)).isTrue();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(op.cancelReason()).isEqualTo(Op.INTERRUPT);
    }

    @Test
    void shouldRefuseSubmissionWhenCancelledAfterTheHandOver() {
        Op op = claimedOp();
        op.prepNop();
        op.handOver();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(op.inFlight()).isTrue();
        assertThat(fixture.ring.submit(op)).isFalse();
        assertThat(op.inFlight()).isFalse();
        assertThat(op.result()).isEqualTo(-Errno.ECANCELED);
    }

    @Test
    void shouldAskItsHomeRingOnceToCancelWhatIsInFlight() {
        Op op = submittedNop();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(op.cancel(Op.DEADLINE)).isTrue();
        assertThat(op.inFlight()).isTrue();
        assertThat(fixture.cancels).hasSize(1);
        assertThat(fixture.cancels.element().op()).isSameAs(op);
        fixture.await(op);
        assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
    }

    @Test
    void shouldNotAskTheRingToCancelWhatHasEnded() {
        Op op = submittedNop();
        assertThat(fixture.await(op)).isZero();
        assertThat(op.cancel(Op.CLOSE)).isTrue(); // the claim's next operation
        assertThat(fixture.cancels).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldNotCancelTheNextClaimByARequestForTheLastOne(SetupFlags flags) throws Exception {
        try (var ring = new RingFixture(8, 16, flags)) {
            Op op = claimedOp();
            op.prepNop();
            ring.ring.submit(op);
            op.cancel(Op.CLOSE);
            Op.Cancel request = ring.cancels.remove();
            assertThat(ring.await(op)).isZero(); // before the request came to the ring
            op.release();

            RingFixture.claim(op);
            op.prepNop();
            ring.ring.submit(op);
            ring.ring.cancel(request);
            assertThat(ring.await(op)).isZero();
            assertThat(ring.counters.cancels).isZero();
        }
    }

    @Test
    void shouldNotCancelWhatIsInFlightOnAnotherRing() throws Exception {
        try (var other = new RingFixture(8, 16, SetupFlags.NONE)) {
            Op elsewhere = claimedOp();
            elsewhere.prepNop();
            other.ring.submit(elsewhere);
            Op here = submittedNop(); // has the same user_data
            elsewhere.cancel(Op.CLOSE);
            fixture.ring.cancel(other.cancels.remove()); // lost its way
            assertThat(fixture.counters.cancels).isZero();
            assertThat(fixture.await(here)).isZero();
            assertThat(other.await(elsewhere)).isZero();
        }
    }

    // ---- system calls ----

    @Test
    void shouldRefuseASystemCallOnceCancelled() {
        Op op = claimedOp();
        op.cancel(Op.CLOSE);
        assertThat(op.beginBlocking((_, _) -> fail("kicked"), 7, 8)).isFalse();
        assertThat(op.isBlocked()).isFalse();
        op.release();
        assertThat(op.tryRetire()).isTrue();
    }

    @Test
    void shouldKickTheThreadInASystemCallOnceWhenCancelled() {
        Op op = claimedOp();
        var kicks = new ArrayList<String>();
        assertThat(op.beginBlocking((fd, thread) -> kicks.add(fd + " " + thread), 7, 8)).isTrue();
        assertThat(op.isBlocked()).isTrue();
        assertThat(op.tryRetire()).isFalse();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(kicks).containsExactly("7 8");
        op.endBlocking();
        assertThat(op.isBlocked()).isFalse();
        assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
    }

    @Test
    void shouldNotKickAThreadThatHasLeftItsSystemCall() {
        Op op = claimedOp();
        assertThat(op.beginBlocking((_, _) -> fail("kicked"), 7, 8)).isTrue();
        op.endBlocking();
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        assertThat(op.beginBlocking((_, _) -> fail("kicked"), 7, 8)).isFalse();
    }

    @Test
    void shouldHoldTheThreadWhileItIsKicked() {
        Seeds.withRandom(random -> new KickRace(random).run());
    }

    @Test
    void shouldEndOnceWithDataOrByTheCancelWhenTheyRace() {
        Seeds.withRandom(random -> new CancelRace(fixture, random).run());
    }
}
