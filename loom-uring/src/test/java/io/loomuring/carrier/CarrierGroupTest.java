package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Errno;
import io.loomuring.abi.IoUringAbi;
import io.loomuring.abi.Native;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A group of carriers that starts, or takes back what it had started. */
class CarrierGroupTest {
    private static final int CARRIERS = 4;
    private static final int ENTRIES = 8;

    @BeforeAll
    static void load() {
        Native.load();
    }

    private static Ring newRing(Counters counters, Consumer<Op.Cancel> cancelSink)
            throws RingException {
        return new Ring(ENTRIES, 2 * ENTRIES, 0, counters, cancelSink);
    }

    private static Ring refusedRing() throws RingException {
        return new Ring(0, 0, 0, new Counters(), _ -> {});
    }

    private static long liveCarriers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread instanceof Carrier)
                .count();
    }

    private static int openDescriptors() {
        return new File("/proc/self/fd").list().length;
    }

    @AfterEach
    void expectNoCarrierLeft() {
        Await.until("the end of every carrier", () -> liveCarriers() == 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, CARRIERS - 1})
    void shouldLeaveNothingBehindWhenTheKernelRefusesOneRing(int rings) throws Exception {
        warmUp();
        int descriptors = openDescriptors();
        var made = new AtomicInteger();
        assertThatThrownBy(() ->
                        CarrierGroup.start(
                                CARRIERS,
                                CARRIERS,
                                true,
                                (counters, sink) ->
                                        made.getAndIncrement() < rings
                                                ? newRing(counters, sink)
                                                : refusedRing()))
                .isInstanceOfSatisfying(
                        RingException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(made).hasValue(rings + 1);
        expectNoCarrierLeft();
        Await.until("every descriptor is closed", () -> openDescriptors() == descriptors);
    }

    private void warmUp() throws Exception {
        // the tests' JNA, unlike ours, hasn't opened its files yet
        Running.onPlatform(() -> Seccomp.refuse(Seccomp.EVENTFD, Errno.EMFILE)).result();
        assertThatThrownBy(() -> CarrierGroup.start(1, 1, false, (_, _) -> refusedRing()))
                .isInstanceOf(RingException.class);
    }

    /** What the kernel refuses to the carriers, once their ring is there. */
    enum Refusal {
        EVENTFD {
            @Override
            void install() {
                Seccomp.refuse(Seccomp.EVENTFD, Errno.EMFILE);
            }
        },
        LIMIT_OF_WORKERS {
            @Override
            void install() {
                int opcode = IoUringAbi.IORING_REGISTER_IOWQ_MAX_WORKERS;
                Seccomp.refuseIfEqual(1, opcode, Seccomp.IO_URING_REGISTER, Errno.EMFILE);
            }
        };

        abstract void install();
    }

    @ParameterizedTest
    @EnumSource(Refusal.class)
    void shouldLeaveNothingBehindWhenTheKernelRefusesSomethingElse(Refusal refusal)
            throws Exception {
        warmUp();
        int descriptors = openDescriptors();
        Running.onPlatform(
                        () -> {
                            refusal.install();
                            assertThatThrownBy(() ->
                                            CarrierGroup.start(
                                                    1, 1, false, CarrierGroupTest::newRing))
                                    .isInstanceOfSatisfying(
                                            RingException.class,
                                            e -> assertThat(e.errno()).isEqualTo(Errno.EMFILE));
                        })
                .result();
        expectNoCarrierLeft();
        Await.until("every descriptor is closed", () -> openDescriptors() == descriptors);
    }

    @Test
    void shouldReportACarrierThatCannotStartForAnyReason() {
        var bug = new IllegalStateException("no ring");
        assertThatThrownBy(() ->
                        CarrierGroup.start(
                                1,
                                1,
                                false,
                                (_, _) -> {
                                    throw bug;
                                }))
                .hasRootCause(bug);
    }
}
