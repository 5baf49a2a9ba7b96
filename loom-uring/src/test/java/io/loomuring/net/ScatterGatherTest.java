package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.carrier.Scratch;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;

/** Rows of buffers. */
@Timeout(60) // seconds a test; interrupts it
class ScatterGatherTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";

    private static final int IOV_MAX_AND_MORE = 1100;

    /** A row of every kind of buffer, empty ones in between, with content that tells its place. */
    private static ByteBuffer[] row(Arena arena, int... sizes) {
        ByteBuffer[] row = new ByteBuffer[sizes.length];
        int next = 0;
        for (int i = 0; i < sizes.length; i++) {
            ByteBuffer buffer =
                    switch (i % 3) {
                        case 0 -> ByteBuffer.allocate(sizes[i] + 5).slice(2, sizes[i]);
                        case 1 -> ByteBuffer.allocateDirect(sizes[i]);
                        default -> arena.allocate(sizes[i]).asByteBuffer();
                    };
            while (buffer.hasRemaining()) {
                buffer.put((byte) next++);
            }
            row[i] = buffer.flip();
        }
        return row;
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldKeepOrderAndPositions(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair();
                Arena arena = Arena.ofShared()) {
            ByteBuffer[] srcs = row(arena, 3, 0, 5, 7, 1, 0, 4);
            srcs[0] = srcs[0].asReadOnlyBuffer();
            srcs[2].position(1);
            assertThat(Attempt.start(thread, () -> pair.client().write(srcs, 0, 6)).get())
                    .isEqualTo(15);
            assertThat(srcs[6].position()).isZero();
            for (int i = 0; i < 6; i++) {
                assertThat(srcs[i].hasRemaining()).isFalse();
            }

            ByteBuffer[] dsts = row(arena, 2, 9, 0, 2, 9);
            dsts[1].limit(5);
            ByteBuffer before = dsts[1].duplicate().clear().position(5);
            byte sixth = before.get(5);
            long n = 0;
            while (n < 15) {
                n += Attempt.start(thread, () -> pair.server().read(dsts)).get();
            }
            assertThat(dsts[0].position()).isEqualTo(2);
            assertThat(dsts[1].position()).isEqualTo(5);
            assertThat(dsts[1].limit()).isEqualTo(5);
            assertThat(dsts[3].position()).isEqualTo(2);
            assertThat(dsts[4].position()).isEqualTo(6);
            ByteBuffer all = ByteBuffer.allocate(15);
            for (ByteBuffer dst : dsts) {
                all.put(dst.flip());
            }
            assertThat(all.array())
                    .containsExactly(0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            assertThat(before.get(5)).isEqualTo(sixth);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldWaitForDataOfARow(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer[] dsts = {ByteBuffer.allocate(1), ByteBuffer.allocateDirect(1)};
            var read = Attempt.start(thread, () -> pair.server().read(dsts)).awaitBlocked();
            pair.client().write(ByteBuffer.wrap(new byte[] {1, 2}));
            assertThat(read.get()).isEqualTo(2);
            assertThat(dsts[0].get(0)).isEqualTo((byte) 1);
            assertThat(dsts[1].get(0)).isEqualTo((byte) 2);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadTheEndIntoARow(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer[] dsts = {ByteBuffer.allocate(1), ByteBuffer.allocateDirect(1)};
            var read = Attempt.start(thread, () -> pair.server().read(dsts)).awaitBlocked();
            pair.client().shutdownOutput();
            assertThat(read.get()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTransferNothingForEmptyRows(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer[] empty = {ByteBuffer.allocate(0), ByteBuffer.allocateDirect(0)};
            assertThat(pair.client().read(empty)).isZero();
            assertThat(pair.client().write(empty)).isZero();
            assertThat(pair.client().read(new ByteBuffer[0])).isZero();
            assertThat(pair.client().write(new ByteBuffer[0])).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRejectRowsThatCannotBeUsed(Provider provider) throws Exception {
        try (var pair = provider.pair();
                SocketChannel unconnected = provider.socket()) {
            ByteBuffer one = ByteBuffer.allocate(1);
            ByteBuffer[] readOnly = {one, one.asReadOnlyBuffer()};
            ByteBuffer[] withNull = {one, null};
            assertThatThrownBy(() -> pair.client().read(readOnly))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Read-only buffer");
            assertThatThrownBy(() -> pair.client().read(withNull))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> pair.client().write(withNull))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> pair.client().read(readOnly, 1, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> unconnected.write(withNull))
                    .isInstanceOf(NotYetConnectedException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldGiveArenasBackAfterAFailure(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer closed;
            try (Arena arena = Arena.ofShared()) {
                closed = arena.allocate(1).asByteBuffer();
            }
            try (Arena arena = Arena.ofShared()) {
                ByteBuffer open = arena.allocate(1).asByteBuffer();
                ByteBuffer[] row = {open, closed};
                assertThatThrownBy(() -> pair.client().write(row))
                        .isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> pair.client().read(row))
                        .isInstanceOf(IllegalStateException.class);
            } // fails if the open one is still in use
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 1000, Scratch.SIZE, 3 * Scratch.SIZE})
    void shouldWriteLongRowsInFull(int size) throws Exception {
        for (ThreadKind thread : ThreadKind.values()) {
            try (var pair = Provider.OURS.pair();
                    Arena arena = Arena.ofShared()) {
                int[] sizes = new int[2 * IOV_MAX_AND_MORE / Math.max(1, size / 1000)];
                Arrays.fill(sizes, size);
                ByteBuffer[] srcs = row(arena, sizes);
                long total = (long) sizes.length * size;
                var expected = new CRC32();
                for (ByteBuffer src : srcs) {
                    expected.update(src.duplicate());
                }
                var write = Attempt.start(thread, () -> pair.client().write(srcs));
                var actual = new CRC32();
                ByteBuffer[] dsts = row(arena, 1000, 70_000, 0, 3);
                for (long read = 0; read < total; ) {
                    for (ByteBuffer dst : dsts) {
                        dst.clear();
                    }
                    read += pair.server().read(dsts);
                    for (ByteBuffer dst : dsts) {
                        actual.update(dst.flip());
                    }
                }
                assertThat(write.get()).isEqualTo(total);
                assertThat(actual.getValue()).isEqualTo(expected.getValue());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTransferWhatFitsInNonBlockingMode(Provider provider) throws Exception {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        try (var pair = provider.pair()) {
            pair.client().configureBlocking(false);
            pair.server().configureBlocking(false);
            ByteBuffer[] none = {ByteBuffer.allocate(1), ByteBuffer.allocateDirect(1)};
            assertThat(pair.server().read(none)).isZero();
            byte[] bytes = new byte[5_000_000];
            random.nextBytes(bytes);
            int written = 0;
            int read = 0;
            byte[] received = new byte[bytes.length];
            while (read < bytes.length) {
                ByteBuffer[] srcs = split(bytes, written, random);
                written += (int) pair.client().write(srcs);
                ByteBuffer[] dsts = {ByteBuffer.allocate(100), ByteBuffer.allocateDirect(99_999)};
                long n = pair.server().read(dsts);
                for (ByteBuffer dst : dsts) {
                    int length = dst.position();
                    dst.flip().get(received, read, length);
                    read += length;
                    n -= length;
                }
                assertThat(n).as("seed %d", seed).isZero();
            }
            assertThat(received).as("seed %d", seed).isEqualTo(bytes);
        }
    }

    private static ByteBuffer[] split(byte[] bytes, int from, Random random) {
        int rest = bytes.length - from;
        int first = random.nextInt(rest + 1);
        ByteBuffer direct = ByteBuffer.allocateDirect(rest - first);
        direct.put(bytes, from + first, rest - first).flip();
        return new ByteBuffer[] {ByteBuffer.wrap(bytes, from, first), direct};
    }

    @Test
    void shouldHoldNoScratchWhileARowWaits() throws Exception {
        try (var pair = Provider.OURS.pair()) {
            ByteBuffer[] dsts = {ByteBuffer.allocate(1), ByteBuffer.allocate(1)};
            var read = waitingWithoutScratch(() -> pair.server().read(dsts));
            pair.client().write(ByteBuffer.allocate(1));
            assertThat(read.get()).isEqualTo(1);
        }
    }

    /** Starts a call that waits, and sees that the block it takes first is not held meanwhile. */
    static <T> Attempt<T> waitingWithoutScratch(Callable<T> call) {
        var next = new AtomicReference<Scratch>(); // what is given back last is taken first
        var attempt =
                Attempt.start(
                                ThreadKind.VIRTUAL,
                                () -> {
                                    next.set(Scratch.take());
                                    next.get().release();
                                    return call.call();
                                })
                        .awaitBlocked();
        Attempt.eventually("the block is back", () -> !next.get().isTaken());
        return attempt;
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailARowOfWritesWithABrokenPipe(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            pair.client().close();
            ByteBuffer one = ByteBuffer.allocate(1);
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                while (true) {
                                    pair.server()
                                            .write(
                                                    new ByteBuffer[] {
                                                        one.duplicate(), one.duplicate()
                                                    });
                                }
                            });
            assertThat(write.failure())
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessageMatching("Broken pipe|Connection reset by peer");
        }
    }
}
