package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.abi.SocketAbi;
import io.loomuring.observe.Counters;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One ring: what is submitted ends once, whatever is full. */
class RingTest {
    private static final int ENTRIES = 8;
    private static final int COMPLETION_ENTRIES = 16;
    private static final int MANY = 5_000;
    private static final int VERY_MANY = 20_000;
    private static final int OP_MSG_RING = 40; // linux/io_uring.h; 5.18

    private final Arena arena = Arena.ofShared();
    private RingFixture fixture;

    private void open(SetupFlags flags) throws RingException {
        fixture = new RingFixture(ENTRIES, COMPLETION_ENTRIES, flags);
    }

    @AfterEach
    void close() {
        if (fixture != null) {
            fixture.close();
        }
        arena.close();
    }

    private Op submittedRecv(SocketPair pair, long memory) {
        Op op = claimedOp();
        op.prepRecv(pair.fd(), memory, Long.BYTES, 0);
        assertThat(fixture.ring.submit(op)).isTrue();
        return op;
    }

    private List<Op> submitNops(int count) {
        List<Op> ops = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Op op = claimedOp();
            op.prepNop();
            assertThat(fixture.ring.submit(op)).isTrue();
            ops.add(op);
        }
        return ops;
    }

    // ---- the plain way ----

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldCompleteWhatIsSubmitted(SetupFlags flags) throws RingException {
        open(flags);
        Op op = claimedOp();
        op.prepNop();
        assertThat(fixture.submitAndAwait(op)).isZero();
        assertThat(fixture.counters.operations).isOne();
        assertThat(fixture.ring.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldReturnTheErrorOfABadDescriptor(SetupFlags flags) throws RingException {
        open(flags);
        Op op = claimedOp();
        op.prepRecv(-1, arena.allocate(1).address(), 1, 0);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(-Errno.EBADF);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldMakeTheWaiterRunnable(SetupFlags flags) throws Exception {
        open(flags);
        Op op = new Op(_ -> {});
        Running<Void> waiter =
                Running.onPlatform(() -> {
                    while (!op.inFlight()) {
                        Thread.onSpinWait();
                    }
                    while (op.inFlight()) {
                        LockSupport.park();
                    }
                });
        assertThat(op.tryClaim()).isTrue();
        op.waitOn(waiter.thread());
        op.prepNop();
        fixture.ring.submit(op);
        Await.until("the waiter parks", () -> waiter.thread().getState() == Thread.State.WAITING);
        fixture.await(op);
        waiter.result();
    }

    @ParameterizedTest
    @EnumSource(value = SetupFlags.class, names = "POLLED", mode = EnumSource.Mode.EXCLUDE)
    void shouldNotSubmitBeforeItEnters(SetupFlags flags) throws RingException {
        open(flags);
        fixture.ring.enter(0); // arms the wake-up
        long enters = fixture.counters.enters;
        Op op = claimedOp();
        op.prepNop();
        fixture.ring.submit(op);
        assertThat(fixture.counters.enters).isEqualTo(enters);
        assertThat(fixture.ring.needsEnter()).isTrue();
        assertThat(fixture.ring.enter(0)).isOne();
        assertThat(fixture.counters.enters).isEqualTo(enters + 1);
        assertThat(fixture.ring.needsEnter()).isFalse();
    }

    @Test
    void shouldMakeNoSystemCallWhenThereIsNothingToDo() throws RingException {
        open(SetupFlags.COOPERATIVE);
        fixture.ring.enter(0);
        long enters = fixture.counters.enters;
        assertThat(fixture.ring.enter(0)).isZero();
        assertThat(fixture.counters.enters).isEqualTo(enters);
    }

    // ---- waiting ----

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldEndAWaitAtItsTimeoutAndNotBefore(SetupFlags flags) throws RingException {
        open(flags);
        long timeoutNanos = TimeUnit.MILLISECONDS.toNanos(20);
        long start = System.nanoTime();
        assertThat(fixture.ring.enter(timeoutNanos)).isZero();
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(timeoutNanos);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldEndAnUnlimitedWaitByItsEventfd(SetupFlags flags) throws Exception {
        open(flags);
        Running<Void> waker =
                Running.onPlatform(() -> {
                    Await.until("the owner waits", () -> fixture.ring.tryRescue() < 0);
                    fixture.wake();
                });
        fixture.ring.enter(-1);
        waker.result();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldEndTheNextWaitBySignalsThatCameBeforeIt(SetupFlags flags) throws RingException {
        open(flags);
        for (int round = 0; round < 3; round++) {
            fixture.wake();
            fixture.wake();
            fixture.ring.enter(-1);
        }
    }

    // ---- more than fits ----

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldLoseNothingWhenMoreIsSubmittedThanFits(SetupFlags flags) throws RingException {
        open(flags);
        List<Op> ops = submitNops(ENTRIES + 1);
        if (!flags.polled()) { // a thread may have made room meanwhile
            assertThat(fixture.counters.submissionQueueFull).isOne();
        }
        ops.forEach(op -> assertThat(fixture.await(op)).isZero());
        assertThat(fixture.ring.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldLoseNothingWhenCompletionsOverflow(SetupFlags flags) throws RingException {
        open(flags);
        List<Op> ops = submitNops(MANY);
        ops.forEach(op -> assertThat(fixture.await(op)).isZero());
        assertThat(fixture.ring.inFlight()).isZero();
        assertThat(fixture.counters.completionOverflows).isPositive();
        assertThat(fixture.counters.operations).isEqualTo(MANY);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldFetchWhatTheKernelKeptBackWithoutWaiting(SetupFlags flags) throws RingException {
        open(flags);
        List<Op> ops = submitNops(MANY);
        fixture.enterUntilQuiet();
        assertThat(ops).noneMatch(Op::inFlight);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldLoseNothingWhenVeryManyEndAtOnce(SetupFlags flags) throws RingException {
        open(flags);
        int eventFd = Native.lu_eventfd();
        List<Op> ops = new ArrayList<>();
        for (int i = 0; i < VERY_MANY; i++) {
            Op op = claimedOp();
            op.prepPollAdd(eventFd, SocketAbi.POLLIN);
            assertThat(fixture.ring.submit(op)).isTrue();
            ops.add(op);
        }
        fixture.ring.enter(0);
        assertThat(fixture.ring.inFlight()).isEqualTo(VERY_MANY);
        Shim.signal(eventFd);
        ops.forEach(op -> assertThat(fixture.await(op)).isEqualTo(SocketAbi.POLLIN));
        assertThat(fixture.ring.inFlight()).isZero();
        Native.lu_close(eventFd);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldBeWokenAgainAfterAWakeUpThatFoundTheCompletionQueueFull(SetupFlags flags)
            throws RingException {
        open(flags);
        fixture.ring.enter(0); // arms the wake-up
        List<Op> ops = submitNops(MANY);
        fixture.wake();
        ops.forEach(op -> assertThat(fixture.await(op)).isZero());
        fixture.enterUntilQuiet(); // the wake-up's own completions
        fixture.wake();
        long start = System.nanoTime();
        // one CQE, or the last of the old poll and one of the new
        assertThat(fixture.ring.enter(RingFixture.LONG_NANOS)).isBetween(1, 2);
        assertThat(System.nanoTime() - start).isLessThan(RingFixture.LONG_NANOS / 2);
    }

    // ---- order ----

    @ParameterizedTest
    @EnumSource(value = SetupFlags.class, names = "POLLED", mode = EnumSource.Mode.EXCLUDE)
    void shouldSubmitSendsBeforeReceives(SetupFlags flags) throws RingException {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            Op receive = claimedOp();
            receive.prepRecv(pair.fd(), arena.allocate(1).address(), 1, SocketAbi.MSG_DONTWAIT);
            fixture.ring.submit(receive);
            Op send = claimedOp();
            send.prepSend(pair.peer(), arena.allocate(1).address(), 1, SocketAbi.MSG_NOSIGNAL);
            fixture.ring.submit(send);
            assertThat(fixture.await(receive)).isOne(); // -EAGAIN, had it gone first
            assertThat(fixture.await(send)).isOne();
        }
    }

    // ---- cancel ----

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldCancelAWaitingReceive(SetupFlags flags) throws RingException {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            Op op = submittedRecv(pair, arena.allocate(Long.BYTES).address());
            fixture.ring.enter(0);
            assertThat(fixture.cancelAndAwait(op)).isEqualTo(-Errno.ECANCELED);
            assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
            assertThat(fixture.counters.cancels).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldCancelWhatIsQueuedAndNotYetSubmitted(SetupFlags flags) throws RingException {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            Op op = submittedRecv(pair, arena.allocate(Long.BYTES).address());
            assertThat(fixture.cancelAndAwait(op)).isEqualTo(-Errno.ECANCELED);
        }
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldCancelManyWithAFullSubmissionQueue(SetupFlags flags) throws RingException {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            List<Op> ops = new ArrayList<>();
            for (int i = 0; i < 10 * ENTRIES; i++) {
                ops.add(submittedRecv(pair, arena.allocate(Long.BYTES).address()));
            }
            ops.forEach(op -> op.cancel(Op.DEADLINE));
            ops.forEach(op -> assertThat(fixture.await(op)).isEqualTo(-Errno.ECANCELED));
        }
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldReceiveNothingIntoMemoryOfACancelledReceive(SetupFlags flags) throws RingException {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            long memory = arena.allocate(Long.BYTES, Long.BYTES).address();
            Op op = submittedRecv(pair, memory);
            fixture.cancelAndAwait(op);
            pair.peerSendsLong(4711);
            fixture.ring.enter(0);
            assertThat(Memory.getLong(memory)).isZero();
            assertThat(pair.drain()).isEqualTo(Long.BYTES);
        }
    }

    // ---- generations ----

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldGiveALateCompletionToNobody(SetupFlags flags) throws Exception {
        open(flags);
        try (SocketPair pair = SocketPair.open()) {
            long memory = arena.allocate(Long.BYTES, Long.BYTES).address();
            Op first = submittedRecv(pair, memory);
            first.cancel(Op.CLOSE);
            long oldUserData = first.userData();
            fixture.await(first);

            Op second = submittedRecv(pair, memory);
            assertThat((int) second.userData()).as("its slot").isEqualTo((int) oldUserData);
            completeByMessage(oldUserData, 5);
            Await.until(
                    "the late completion is reaped",
                    () -> {
                        fixture.ring.enter(0);
                        return fixture.counters.staleCompletions == 1;
                    });
            assertThat(second.inFlight()).isTrue();
            pair.peerSendsLong(4711);
            assertThat(fixture.await(second)).isEqualTo(Long.BYTES);
            assertThat(fixture.counters.staleCompletions).isOne();
        }
    }

    /** Posts a CQE of our choice to the ring itself, by {@code IORING_OP_MSG_RING}. */
    private void completeByMessage(long userData, int res) throws ReflectiveOperationException {
        Field ringFd = Ring.class.getDeclaredField("fd");
        ringFd.setAccessible(true);
        Op message = claimedOp();
        message.prepNop();
        message.opcode = OP_MSG_RING;
        message.fd = ringFd.getInt(fixture.ring);
        message.len = res;
        message.off = userData;
        assertThat(fixture.submitAndAwait(message)).isZero();
    }

    // ---- set-up and end ----

    @Test
    void shouldSayWhyTheKernelRefusesARing() {
        assertThatThrownBy(() -> new Ring(0, 0, 0, new Counters(), _ -> {}))
                .isInstanceOfSatisfying(
                        RingException.class,
                        e -> {
                            assertThat(e.errno()).isEqualTo(Errno.EINVAL);
                            assertThat(e).hasMessage("io_uring_setup: Invalid argument");
                        });
    }

    @Test
    void shouldLeaveNoDescriptorBehind() throws Exception {
        open(SetupFlags.COOPERATIVE); // loads what opens descriptors of its own
        long before = openDescriptors();
        for (int i = 0; i < 20; i++) {
            new Ring(ENTRIES, COMPLETION_ENTRIES, 0, new Counters(), _ -> {}).close();
            assertThatThrownBy(() -> new Ring(0, 0, 0, new Counters(), _ -> {}))
                    .isInstanceOf(RingException.class);
            KernelFeatures.probe();
        }
        assertThat(openDescriptors()).isEqualTo(before);
    }

    private static long openDescriptors() {
        String[] descriptors = new File("/proc/self/fd").list();
        return descriptors.length;
    }

    @Test
    void shouldLimitTheKernelsWorkers() throws RingException {
        open(SetupFlags.COOPERATIVE);
        fixture.ring.limitWorkers(1, 1);
    }

    @Test
    void shouldAllocateNothingForAnOperation() throws RingException {
        open(SetupFlags.COOPERATIVE);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Op op = new Op(_ -> {});
        nops(op, VERY_MANY); // compiled, linked, and allocated for good
        long before = threads.getCurrentThreadAllocatedBytes();
        nops(op, VERY_MANY);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated / VERY_MANY).as("bytes an operation").isZero();
    }

    private void nops(Op op, int count) {
        for (int i = 0; i < count; i++) {
            RingFixture.claim(op);
            op.prepNop();
            fixture.ring.submit(op);
            fixture.ring.enter(-1);
            op.release();
        }
    }
}
