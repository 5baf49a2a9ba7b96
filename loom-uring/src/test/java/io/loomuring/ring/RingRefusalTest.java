package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.observe.Counters;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;

/** A kernel that refuses: each test has a thread whose system calls fail. */
class RingRefusalTest {
    private static final int ENTRIES = 8;

    @BeforeAll
    static void load() {
        Native.load();
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EPERM, Errno.ENOSYS, Errno.ENOMEM})
    void shouldReportTheErrorOfARefusedSetUp(int errno) throws Exception {
        Running.onPlatform(
                        () -> {
                            Seccomp.refuse(Seccomp.IO_URING_SETUP, errno);
                            assertThatThrownBy(() -> new Ring(8, 16, 0, new Counters(), _ -> {}))
                                    .isInstanceOfSatisfying(
                                            RingException.class,
                                            e -> assertThat(e.errno()).isEqualTo(errno));
                            assertThatThrownBy(KernelFeatures::probe)
                                    .isInstanceOf(RingException.class)
                                    .hasMessageContaining(Errno.message(errno));
                        })
                .result();
    }

    @ParameterizedTest
    @EnumSource(
            value = SetupFlags.class,
            names = {"DEFERRED", "POLLED"},
            mode = EnumSource.Mode.EXCLUDE)
    void shouldRefuseWhatDoesNotFitAndKeepTheRest(SetupFlags flags) throws Exception {
        try (var fixture = new RingFixture(ENTRIES, 2 * ENTRIES, flags)) {
            List<Op> queued = new ArrayList<>();
            Op refused = claimedOp();
            refused.prepNop();
            Running.onPlatform(
                            () -> {
                                Seccomp.refuse(Seccomp.IO_URING_ENTER, Errno.EAGAIN);
                                for (int i = 0; i < ENTRIES; i++) {
                                    Op op = claimedOp();
                                    op.prepNop();
                                    assertThat(fixture.ring.submit(op)).isTrue();
                                    queued.add(op);
                                }
                                assertThat(fixture.ring.submit(refused)).isFalse();
                            })
                    .result();
            assertThat(refused.inFlight()).isFalse();
            assertThat(refused.result()).isEqualTo(-Errno.ENOMEM);
            assertThat(refused.cancelReason()).isZero();
            assertThat(fixture.counters.enterRetries).isPositive();
            assertThat(fixture.ring.inFlight()).isEqualTo(ENTRIES);
            queued.forEach(op -> assertThat(fixture.await(op)).isZero()); // this thread may enter
            assertThat(fixture.submitAndAwait(refused)).isZero();
        }
    }

    @Test
    void shouldGoOnOnceTheKernelHasMemoryAgain() throws Exception {
        try (var fixture = new RingFixture(ENTRIES, 2 * ENTRIES, SetupFlags.NONE)) {
            Op op = claimedOp();
            op.prepNop();
            fixture.ring.submit(op);
            Running.onPlatform(
                            () -> {
                                Seccomp.refuse(Seccomp.IO_URING_ENTER, Errno.EAGAIN);
                                assertThat(fixture.ring.enter(0)).isZero();
                            })
                    .result();
            assertThat(op.inFlight()).isTrue();
            assertThat(fixture.await(op)).isZero();
        }
    }
}
