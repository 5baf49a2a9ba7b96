package io.loomuring.carrier;

import static io.loomuring.abi.SocketAbi.*;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Libc;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Blocking operations on raw descriptors, by threads of each kind. */
abstract class CarrierIoContract {
    private static final int LARGE = 3_000_000; // bytes: many times a socket's buffer
    private static final int LOOPBACK = 0x0100007f; // 127.0.0.1 in network byte order
    private static final int PAIRS = 300;
    private static final int ROUNDS = 30;
    private static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Arena arena = Arena.ofShared();
    private final SocketPair pair = SocketPair.open();

    @AfterEach
    void close() {
        pair.close();
        arena.close();
    }

    private static Op op() {
        return new Op(_ -> {});
    }

    /** An operation by a thread of some kind: claims, performs, releases. */
    @FunctionalInterface
    private interface Operation {
        int perform(Op op) throws Exception;
    }

    private static Running<Integer> start(ThreadKind kind, Op op, Operation operation) {
        return Running.on(
                kind.factory(),
                () -> {
                    assertThat(op.tryClaim()).isTrue();
                    return operation.perform(op);
                });
    }

    private static int perform(ThreadKind kind, Operation operation) throws Exception {
        Op op = op();
        int result = start(kind, op, operation).result();
        assertThat(op.inFlight()).isFalse();
        op.release();
        return result;
    }

    private int recv(Op op, long timeoutNanos) {
        return CarrierIo.recv(op, pair.fd(), arena.allocate(8).address(), 8, 0, timeoutNanos);
    }

    private Running<Integer> startRecv(ThreadKind kind, Op op) {
        Running<Integer> receiver = start(kind, op, mine -> recv(mine, 0));
        Await.until("the receive waits", () -> isWaiting(receiver, op));
        return receiver;
    }

    /** For a completion, or in a system call. */
    private static boolean isWaiting(Running<?> running, Op op) {
        return op.isBlocked() || (op.inFlight() && isWaiting(running));
    }

    private static boolean isWaiting(Running<?> running) {
        Thread.State state = running.thread().getState();
        return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
    }

    private static byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    // ---- each operation ----

    @ParameterizedTest
    @EnumSource
    void shouldReceiveWhatIsThereAlready(ThreadKind kind) throws Exception {
        MemorySegment memory = arena.allocate(8);
        pair.peerSends((byte) 1, (byte) 2);
        int n = perform(kind, op -> CarrierIo.recv(op, pair.fd(), memory.address(), 8, 0, 0));
        assertThat(n).isEqualTo(2);
        assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).startsWith(1, 2);
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveWhatArrivesLater(ThreadKind kind) throws Exception {
        Op op = op();
        Running<Integer> receiver = startRecv(kind, op);
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveIntoAnArray(ThreadKind kind) throws Exception {
        byte[] array = new byte[6];
        pair.peerSends((byte) 1, (byte) 2, (byte) 3);
        int n = perform(kind, op -> CarrierIo.recvHeap(op, pair.fd(), array, 2, 2, 0));
        assertThat(n).isEqualTo(2);
        assertThat(array).containsExactly(0, 0, 1, 2, 0, 0);
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveTheEndOfTheStream(ThreadKind kind) throws Exception {
        Op op = op();
        Running<Integer> receiver = startRecv(kind, op);
        pair.peerShutsDown();
        assertThat(receiver.result()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void shouldSend(ThreadKind kind) throws Exception {
        MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) 1, (byte) 2);
        int n = perform(kind, op -> CarrierIo.send(op, pair.fd(), memory.address(), 2, 0));
        assertThat(n).isEqualTo(2);
        assertThat(pair.peerReceives(2)).containsExactly(1, 2);
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendAllOfALargeArrayToASlowReader(ThreadKind kind) throws Exception {
        byte[] array = randomBytes(LARGE + 2);
        Op op = op();
        Running<Integer> sender =
                start(kind, op, mine -> CarrierIo.sendHeap(mine, pair.fd(), array, 1, LARGE));
        Await.until("the socket is full", () -> isWaiting(sender, op));
        byte[] received = pair.peerReceives(LARGE);
        assertThat(sender.result()).isEqualTo(LARGE);
        assertThat(Arrays.equals(received, Arrays.copyOfRange(array, 1, 1 + LARGE))).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellHowMuchWasSentBeforeACancel(ThreadKind kind) throws Exception {
        Op op = op();
        byte[] array = new byte[LARGE];
        Running<Integer> sender =
                start(kind, op, mine -> CarrierIo.sendHeap(mine, pair.fd(), array, 0, LARGE));
        pair.peerReceives(1);
        assertThat(op.cancel(Op.CLOSE)).isTrue();
        int sent = sender.result();
        assertThat(sent).isBetween(1, LARGE - 1);
        assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
        pair.peerReceives(sent - 1);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailASendThatWasCancelledBefore(ThreadKind kind) throws Exception {
        Op op = op();
        byte[] array = new byte[8];
        Running<Integer> sender =
                start(
                        kind,
                        op,
                        mine -> {
                            mine.cancel(Op.CLOSE);
                            return CarrierIo.sendHeap(mine, pair.fd(), array, 0, 8);
                        });
        assertThat(sender.result()).isEqualTo(-Errno.ECANCELED);
    }

    @ParameterizedTest
    @EnumSource
    void shouldGatherAndScatter(ThreadKind kind) throws Exception {
        long sent = message(arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) 1, (byte) 2));
        assertThat(perform(kind, op -> CarrierIo.sendmsg(op, pair.fd(), sent, 0))).isEqualTo(2);
        assertThat(pair.peerReceives(2)).containsExactly(1, 2);

        MemorySegment memory = arena.allocate(8);
        long received = message(memory);
        pair.peerSends((byte) 3);
        assertThat(perform(kind, op -> CarrierIo.recvmsg(op, pair.fd(), received, 0, 0))).isOne();
        assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 3);
    }

    private long message(MemorySegment part) {
        long vector = arena.allocate(SIZEOF_IOVEC, 8).address();
        Memory.putLong(vector + IOVEC_BASE, part.address());
        Memory.putLong(vector + IOVEC_LEN, part.byteSize());
        long message = arena.allocate(SIZEOF_MSGHDR, 8).address();
        Memory.putLong(message + MSGHDR_IOV, vector);
        Memory.putLong(message + MSGHDR_IOVLEN, 1);
        return message;
    }

    @ParameterizedTest
    @EnumSource
    void shouldPoll(ThreadKind kind) throws Exception {
        assertThat(perform(kind, op -> CarrierIo.poll(op, pair.fd(), POLLOUT, 0)))
                .isEqualTo(POLLOUT);
        Op op = op();
        Running<Integer> poller =
                start(kind, op, mine -> CarrierIo.poll(mine, pair.fd(), POLLIN, 0));
        Await.until("the poll waits", () -> isWaiting(poller, op));
        pair.peerSends((byte) 1);
        assertThat(poller.result()).isEqualTo(POLLIN);
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectAndAccept(ThreadKind kind) throws Exception {
        int listener = Libc.socket(AF_INET, Libc.SOCK_STREAM | SOCK_CLOEXEC, 0);
        long name = arena.allocate(SIZEOF_SOCKADDR_STORAGE, 8).address();
        Memory.putShort(name, (short) AF_INET);
        Memory.putInt(name + SOCKADDR_IN_ADDR, LOOPBACK);
        Libc.bind(listener, name, SIZEOF_SOCKADDR_IN);
        Libc.listen(listener, 1);
        long length = arena.allocate(Integer.BYTES, Integer.BYTES).address();
        Memory.putInt(length, SIZEOF_SOCKADDR_IN);
        Libc.getsockname(listener, name, length);

        Op op = op();
        Running<Integer> acceptor =
                start(kind, op, mine -> CarrierIo.accept(mine, listener, 0, 0, SOCK_CLOEXEC, 0));
        int client = Libc.socket(AF_INET, Libc.SOCK_STREAM | SOCK_CLOEXEC, 0);
        int connected =
                perform(kind, mine -> CarrierIo.connect(mine, client, name, SIZEOF_SOCKADDR_IN, 0));
        assertThat(connected).isZero();
        int accepted = acceptor.result();
        assertThat(accepted).isPositive();
        Shim.close(accepted);
        Shim.close(client);
        Shim.close(listener);
    }

    @ParameterizedTest
    @EnumSource
    void shouldReturnTheErrorOfABadDescriptor(ThreadKind kind) throws Exception {
        long memory = arena.allocate(1).address();
        assertThat(perform(kind, op -> CarrierIo.recv(op, -1, memory, 1, 0, 0)))
                .isEqualTo(-Errno.EBADF);
    }

    // ---- the end of a wait ----

    @ParameterizedTest
    @EnumSource
    void shouldEndAtItsTimeoutAndNotBefore(ThreadKind kind) throws Exception {
        Op op = op();
        Running<Integer> receiver =
                start(
                        kind,
                        op,
                        mine -> {
                            long start = System.nanoTime();
                            int n = recv(mine, SHORT_NANOS);
                            assertThat(System.nanoTime() - start)
                                    .isGreaterThanOrEqualTo(SHORT_NANOS);
                            return n;
                        });
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(Op.DEADLINE);
        pair.peerSends((byte) 1);
        assertThat(pair.drain()).as("bytes left").isOne();
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveNoReasonWhenDataComesBeforeTheTimeout(ThreadKind kind) throws Exception {
        Op op = op();
        Running<Integer> receiver = start(kind, op, mine -> recv(mine, HOUR_NANOS));
        Await.until("the receive waits", () -> isWaiting(receiver, op));
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
        assertThat(op.cancelReason()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndWhenAnotherThreadCancels(ThreadKind kind) throws Exception {
        for (ThreadKind cancellerKind : ThreadKind.values()) {
            Op op = op();
            try (SocketPair mine = SocketPair.open()) { // a cancel may end its use
                long memory = arena.allocate(1).address();
                Running<Integer> receiver =
                        start(kind, op, _ -> CarrierIo.recv(op, mine.fd(), memory, 1, 0, 0));
                Await.until("the receive waits", () -> isWaiting(receiver, op));
                Running.on(cancellerKind.factory(), () -> op.cancel(Op.CLOSE)).result();
                assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
                assertThat(op.cancelReason()).isEqualTo(Op.CLOSE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotStartWhenItWasCancelledBefore(ThreadKind kind) throws Exception {
        Op op = op();
        pair.peerSends((byte) 1);
        Running<Integer> receiver =
                start(
                        kind,
                        op,
                        mine -> {
                            mine.cancel(Op.CLOSE);
                            return recv(mine, 0);
                        });
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(pair.drain()).as("bytes left").isOne();
    }

    @ParameterizedTest
    @EnumSource(names = "PLATFORM", mode = EnumSource.Mode.EXCLUDE)
    void shouldEndByAnInterruptIfTheOwnerCancels(ThreadKind kind) throws Exception {
        var op = new Op(mine -> mine.cancel(Op.INTERRUPT));
        Running<Integer> receiver =
                start(
                        kind,
                        op,
                        mine -> {
                            int n = recv(mine, 0);
                            assertThat(Thread.currentThread().isInterrupted()).isTrue();
                            return n;
                        });
        Await.until("the receive waits", () -> isWaiting(receiver) && op.inFlight());
        receiver.thread().interrupt();
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(Op.INTERRUPT);
    }

    /** Cancels its operation when the thread is interrupted, by which path soever. */
    private static final class ClosingOwner implements InterruptibleOwner {
        Op op;

        @Override
        public boolean closesOnInterrupt() {
            return true;
        }

        @Override
        public void interrupted(Op mine) {
            mine.cancel(Op.CLOSE);
        }

        @Override
        public void postInterrupt() {
            op.cancel(Op.CLOSE);
        }
    }

    @ParameterizedTest
    @CsvSource({"true,0", "false,0", "true,1000", "false,1000"})
    void shouldEndASystemCallByAnInterruptIfTheOwnerCloses(boolean before, long timeoutSeconds)
            throws Exception {
        var owner = new ClosingOwner();
        var op = new Op(owner);
        owner.op = op;
        Running<Integer> receiver =
                start(
                        ThreadKind.PLATFORM,
                        op,
                        mine -> {
                            if (before) {
                                Thread.currentThread().interrupt();
                            }
                            int n = recv(mine, TimeUnit.SECONDS.toNanos(timeoutSeconds));
                            assertThat(Thread.interrupted()).isTrue();
                            return n;
                        });
        if (!before) {
            Await.until("the receive waits", op::isBlocked);
            receiver.thread().interrupt();
        }
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
    }

    @Test
    void shouldNotTellTheOwnerOfAnInterruptAfterTheSystemCall() throws Exception {
        var owner = new ClosingOwner();
        var op = new Op(owner);
        owner.op = op;
        pair.peerSends((byte) 1);
        int n =
                start(
                                ThreadKind.PLATFORM,
                                op,
                                mine -> {
                                    int received = recv(mine, 0);
                                    Thread.currentThread().interrupt();
                                    return received;
                                })
                        .result();
        assertThat(n).isOne();
        assertThat(op.cancelReason()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1000})
    void shouldBeDeafToInterruptsInASystemCallIfTheOwnerIs(long timeoutSeconds) throws Exception {
        Op op = op();
        Running<Integer> receiver =
                start(
                        ThreadKind.PLATFORM,
                        op,
                        mine -> {
                            int n = recv(mine, TimeUnit.SECONDS.toNanos(timeoutSeconds));
                            assertThat(Thread.currentThread().isInterrupted()).isTrue();
                            return n;
                        });
        Await.until("the receive waits", op::isBlocked);
        receiver.thread().interrupt();
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
    }

    @Test
    void shouldLeaveTheRingsAloneOnAPlatformThread() throws Exception {
        long before = LoomUring.counters().operations;
        play(ThreadKind.PLATFORM, 1);
        assertThat(LoomUring.counters().operations).isEqualTo(before);
        play(ThreadKind.VIRTUAL, 1);
        assertThat(LoomUring.counters().operations).isGreaterThan(before); // it does count
    }

    @ParameterizedTest
    @EnumSource(names = "PLATFORM", mode = EnumSource.Mode.EXCLUDE)
    void shouldTellTheOwnerOfAnInterruptOnceAndWaitOnIfItLetsBe(ThreadKind kind) throws Exception {
        var told = new AtomicInteger();
        var op = new Op(_ -> told.incrementAndGet());
        Running<Integer> receiver =
                start(
                        kind,
                        op,
                        mine -> {
                            int n = recv(mine, 0);
                            assertThat(Thread.currentThread().isInterrupted()).isTrue();
                            return n;
                        });
        Await.until("the receive waits", () -> isWaiting(receiver) && op.inFlight());
        for (int i = 0; i < 3; i++) {
            receiver.thread().interrupt();
            Await.until(
                    "the interrupt is taken",
                    () -> told.get() == 1 && !receiver.thread().isInterrupted());
        }
        assertThat(op.inFlight()).isTrue();
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
        assertThat(told).hasValue(1);
    }

    @ParameterizedTest
    @EnumSource(names = "PLATFORM", mode = EnumSource.Mode.EXCLUDE)
    void shouldTellTheOwnerOfAnInterruptFromBefore(ThreadKind kind) throws Exception {
        var op = new Op(mine -> mine.cancel(Op.INTERRUPT));
        Running<Integer> receiver =
                start(
                        kind,
                        op,
                        mine -> {
                            Thread.currentThread().interrupt();
                            return recv(mine, 0);
                        });
        assertThat(receiver.result()).isEqualTo(-Errno.ECANCELED);
        assertThat(op.cancelReason()).isEqualTo(Op.INTERRUPT);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotEndByAStrayUnpark(ThreadKind kind) throws Exception {
        Op op = op();
        Running<Integer> receiver = startRecv(kind, op);
        for (int i = 0; i < 100; i++) {
            LockSupport.unpark(receiver.thread());
        }
        assertThat(op.inFlight() || op.isBlocked()).isTrue();
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
    }

    // ---- many ----

    @ParameterizedTest
    @EnumSource
    void shouldServeManyPairsAtOnce(ThreadKind kind) throws Exception {
        play(kind, kind == ThreadKind.PLATFORM ? PAIRS / 10 : PAIRS);
        assertThat(LoomUring.counters().staleCompletions).isZero();
    }

    private static void play(ThreadKind kind, int count) throws Exception {
        List<SocketPair> pairs = new ArrayList<>();
        List<Running<Void>> players = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SocketPair mine = SocketPair.open();
            pairs.add(mine);
            int first = i << 16;
            players.add(Running.on(kind.factory(), () -> play(mine.fd(), first, true)));
            players.add(Running.on(kind.factory(), () -> play(mine.peer(), first, false)));
        }
        Running.allEnd(players);
        pairs.forEach(SocketPair::close);
    }

    /** Sends numbers to and fro, each one more than the last. */
    private static void play(int fd, int first, boolean serves) {
        Op in = op();
        Op out = op();
        ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder());
        for (int number = first; number < first + 2 * ROUNDS; number++) {
            if ((number % 2 == 0) == serves) {
                assertThat(out.tryClaim()).isTrue();
                buffer.putInt(0, number);
                assertThat(CarrierIo.sendHeap(out, fd, buffer.array(), 0, Integer.BYTES))
                        .isEqualTo(Integer.BYTES);
                out.release();
            } else {
                assertThat(in.tryClaim()).isTrue();
                assertThat(CarrierIo.recvHeap(in, fd, buffer.array(), 0, Integer.BYTES, 0))
                        .isEqualTo(Integer.BYTES);
                assertThat(buffer.getInt(0)).isEqualTo(number);
                in.release();
            }
        }
    }

    @Test
    void shouldCountTheOperationsOfThreadsWithoutARing() throws Exception {
        for (ThreadKind kind : ThreadKind.values()) {
            long before = LoomUring.counters().foreignOperations;
            perform(kind, CarrierIo::nop);
            long expected = kind == ThreadKind.VIRTUAL ? before : before + 1;
            Await.until(
                    "the counter tells", () -> LoomUring.counters().foreignOperations == expected);
        }
    }

    @Test
    void shouldCompleteIoBesidesThreadsThatYield() throws Exception {
        var done = new AtomicBoolean();
        List<Running<Void>> yielding = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            yielding.add(Running.onVirtual(() -> yieldUntil(done)));
        }
        Op op = op();
        Running<Integer> receiver = start(ThreadKind.VIRTUAL, op, mine -> recv(mine, 0));
        Await.until("the receive is submitted", op::inFlight);
        pair.peerSends((byte) 1);
        assertThat(receiver.result()).isOne();
        done.set(true);
        Running.allEnd(yielding);
    }

    @SuppressWarnings("ThreadPriorityCheck") // to be in the way
    private static void yieldUntil(AtomicBoolean done) {
        while (!done.get()) {
            Thread.yield();
        }
    }
}
