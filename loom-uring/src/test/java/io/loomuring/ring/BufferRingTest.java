package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.testing.Await;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Receives into heap buffers by way of the ring's provided buffers. */
class BufferRingTest {
    private static final int READERS = 3 * BufferRing.BUFFERS;
    private static final int ENTRIES = 512; // all readers in one submission
    private static final int TAIL_WRAPS_AT = 1 << Short.SIZE;

    private final List<SocketPair> pairs = new ArrayList<>();
    private RingFixture fixture;

    private void open(SetupFlags flags) throws RingException {
        fixture = new RingFixture(ENTRIES, ENTRIES, flags);
    }

    @AfterEach
    void close() {
        fixture.close();
        pairs.forEach(SocketPair::close);
    }

    private SocketPair newPair() {
        SocketPair pair = SocketPair.open();
        pairs.add(pair);
        return pair;
    }

    @SuppressWarnings("ByteBufferBackingArray") // allocated ones
    private Op submittedRead(SocketPair pair, ByteBuffer buffer) {
        Op op = claimedOp();
        op.prepRecvSelect(pair.fd(), buffer.array(), 0, buffer.capacity());
        assertThat(fixture.ring.submit(op)).isTrue();
        return op;
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldPutTheDataAtTheOffsetGivenAndNowhereElse(SetupFlags flags) throws RingException {
        open(flags);
        SocketPair pair = newPair();
        pair.peerSends((byte) 1, (byte) 2, (byte) 3);
        byte[] array = new byte[6];
        Op op = claimedOp();
        op.prepRecvSelect(pair.fd(), array, 2, 2);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(2);
        assertThat(array).containsExactly(0, 0, 1, 2, 0, 0);
        assertThat(pair.drain()).as("bytes left").isOne();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldGiveABuffersWorthAtMost(SetupFlags flags) throws RingException {
        open(flags);
        SocketPair pair = newPair();
        byte[] sent = new byte[BufferRing.BUFFER_SIZE + 1];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = (byte) (i * 31);
        }
        pair.peerSends(sent);
        ByteBuffer buffer = ByteBuffer.allocate(2 * BufferRing.BUFFER_SIZE);
        Op op = submittedRead(pair, buffer);
        assertThat(fixture.await(op)).isEqualTo(BufferRing.BUFFER_SIZE);
        op.prepRecvSelect(pair.fd(), buffer.array(), BufferRing.BUFFER_SIZE, buffer.capacity());
        assertThat(fixture.submitAndAwait(op)).isOne();
        assertThat(buffer.array()).startsWith(sent);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldReportTheEndOfTheStream(SetupFlags flags) throws RingException {
        open(flags);
        SocketPair pair = newPair();
        Op op = submittedRead(pair, ByteBuffer.allocate(8));
        fixture.ring.enter(0);
        pair.peerShutsDown();
        assertThat(fixture.await(op)).isZero();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldRecoverWhenMoreArrivesInOneTurnThanThereAreBuffers(SetupFlags flags)
            throws RingException {
        open(flags);
        List<Op> ops = new ArrayList<>();
        List<ByteBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            SocketPair pair = newPair();
            pair.peerSendsLong(i);
            buffers.add(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()));
            ops.add(submittedRead(pair, buffers.get(i)));
        }
        int refused = 0;
        for (int i = 0; i < READERS; i++) {
            Op op = ops.get(i);
            while (fixture.await(op) == -Errno.ENOBUFS) {
                refused++;
                assertThat(refused).as("no buffer comes back").isLessThan(READERS * READERS);
                op.prepRecvSelect(pairs.get(i).fd(), buffers.get(i).array(), 0, Long.BYTES);
                fixture.ring.submit(op);
            }
            assertThat(op.result()).isEqualTo(Long.BYTES);
            assertThat(buffers.get(i).getLong(0)).isEqualTo(i);
        }
        assertThat(refused).isPositive();
        assertThat(fixture.counters.noProvidedBuffer).isEqualTo(refused);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldHoldNoBufferForAReaderThatWaits(SetupFlags flags) throws RingException {
        open(flags);
        for (int i = 0; i < READERS; i++) {
            submittedRead(newPair(), ByteBuffer.allocate(Long.BYTES));
        }
        fixture.ring.enter(0);
        assertThat(fixture.ring.inFlight()).isEqualTo(READERS);
        SocketPair another = newPair();
        another.peerSendsLong(1);
        Op op = submittedRead(another, ByteBuffer.allocate(Long.BYTES));
        assertThat(fixture.await(op)).isEqualTo(Long.BYTES);
        pairs.forEach(SocketPair::peerShutsDown);
        long deadline = System.nanoTime() + RingFixture.LONG_NANOS;
        while (fixture.ring.inFlight() > 0) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            fixture.ring.enter(RingFixture.LONG_NANOS);
        }
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldGetEveryBufferBackFromCancelledReaders(SetupFlags flags) throws RingException {
        open(flags);
        SocketPair pair = newPair();
        for (int i = 0; i < READERS; i++) {
            Op op = submittedRead(pair, ByteBuffer.allocate(Long.BYTES));
            fixture.ring.enter(0);
            assertThat(fixture.cancelAndAwait(op)).isEqualTo(-Errno.ECANCELED);
        }
        pair.peerSendsLong(1);
        Op op = submittedRead(pair, ByteBuffer.allocate(Long.BYTES));
        assertThat(fixture.await(op)).isEqualTo(Long.BYTES);
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldGiveBackBuffersForEverAcrossTheWrapOfTheirTail(SetupFlags flags)
            throws RingException {
        open(flags);
        SocketPair pair = newPair();
        ByteBuffer buffer = ByteBuffer.allocate(1);
        Op op = new Op(_ -> {});
        byte[] data = new byte[BufferRing.BUFFERS];
        for (int i = 0; i < TAIL_WRAPS_AT + 2 * BufferRing.BUFFERS; i++) {
            int index = i % data.length;
            if (index == 0) {
                Arrays.fill(data, (byte) (i / data.length));
                pair.peerSends(data);
            }
            RingFixture.claim(op);
            op.prepRecvSelect(pair.fd(), buffer.array(), 0, 1);
            assertThat(fixture.submitAndAwait(op)).isOne();
            assertThat(buffer.get(0)).isEqualTo(data[index]);
            op.release();
        }
        assertThat(fixture.counters.noProvidedBuffer).isZero();
    }

    @ParameterizedTest
    @EnumSource(SetupFlags.class)
    void shouldNotKeepAnEndedReadersArrayAlive(SetupFlags flags) throws RingException {
        open(flags);
        SocketPair pair = newPair();
        pair.peerSendsLong(1);
        Op ended = claimedOp();
        Op refused = claimedOp();
        refused.cancel(Op.CLOSE);
        var arrays =
                List.of(
                        new WeakReference<byte[]>(readInto(ended, pair)),
                        new WeakReference<byte[]>(readInto(refused, pair)));
        Await.collected("the reads' arrays", arrays);
        assertThat(ended.result()).isEqualTo(Long.BYTES);
        assertThat(refused.result()).isEqualTo(-Errno.ECANCELED);
    }

    private byte[] readInto(Op op, SocketPair pair) {
        byte[] array = new byte[Long.BYTES];
        op.prepRecvSelect(pair.fd(), array, 0, array.length);
        fixture.submitAndAwait(op);
        return array;
    }
}
