package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomuring.LoomUring;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NoConnectionPendingException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Reading, writing, half-close and the states of a connection, in blocking mode. */
@Timeout(60) // seconds a test; interrupts it
class SocketChannelTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";

    @Test
    void shouldUseTheRing() throws Exception {
        try (var pair = Provider.OURS.pair()) {
            long before = LoomUring.counters().operations;
            Attempt.start(ThreadKind.VIRTUAL, () -> pair.client().write(text("x"))).get();
            Attempt.start(ThreadKind.VIRTUAL, () -> pair.server().read(ByteBuffer.allocate(1)))
                    .get();
            Attempt.eventually(
                    "two more operations", () -> LoomUring.counters().operations >= before + 2);
        }
    }

    // ---- buffers ----

    /** Ways to get a buffer of a size. */
    enum Kind {
        HEAP,
        HEAP_SLICE,
        DIRECT,
        DIRECT_SLICE,
        AUTO_ARENA,
        GLOBAL_ARENA;

        ByteBuffer ofSize(int size) {
            return switch (this) {
                case HEAP -> ByteBuffer.allocate(size);
                case HEAP_SLICE -> ByteBuffer.allocate(size + 7).slice(7, size);
                case DIRECT -> ByteBuffer.allocateDirect(size);
                case DIRECT_SLICE -> ByteBuffer.allocateDirect(size + 7).slice(7, size);
                case AUTO_ARENA -> Arena.ofAuto().allocate(size).asByteBuffer();
                case GLOBAL_ARENA -> Arena.global().allocate(size).asByteBuffer();
            };
        }
    }

    static Stream<Arguments> buffers() {
        return Cases.providersAndThreads()
                .flatMap(first ->
                        Stream.of(Kind.values())
                                .map(kind -> Arguments.of(first.get()[0], first.get()[1], kind)));
    }

    @ParameterizedTest
    @MethodSource("buffers")
    void shouldReadAndWriteBetweenPositionAndLimit(Provider provider, ThreadKind thread, Kind kind)
            throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer src = kind.ofSize(10);
            src.put("0123456789".getBytes(UTF_8)).position(2).limit(7);
            int written =
                    Attempt.start(thread, () -> pair.client().write(src.asReadOnlyBuffer())).get();
            assertThat(written).isEqualTo(5);
            assertThat(src.position()).isEqualTo(2);
            assertThat(Attempt.start(thread, () -> pair.client().write(src)).get()).isEqualTo(5);
            assertThat(src.position()).isEqualTo(7);
            assertThat(src.limit()).isEqualTo(7);

            ByteBuffer dst = kind.ofSize(20);
            dst.position(3).limit(13);
            Attempt.start(
                            thread,
                            () -> {
                                while (dst.hasRemaining()) {
                                    int before = dst.position();
                                    int n = pair.server().read(dst);
                                    assertThat(dst.position()).isEqualTo(before + n);
                                }
                                return null;
                            })
                    .get();
            dst.clear();
            assertThat(string(dst, 3, 10)).isEqualTo("2345623456");
            assertThat(dst.get(2)).isZero();
            assertThat(dst.get(13)).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldWaitForData(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer dst = ByteBuffer.allocate(10);
            var read = Attempt.start(thread, () -> pair.server().read(dst)).awaitBlocked();
            pair.client().write(text("late"));
            assertThat(read.get()).isEqualTo(4);
            assertThat(string(dst, 0, 4)).isEqualTo("late");
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadNothingIntoAnEmptyBuffer(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            assertThat(Attempt.start(thread, () -> pair.client().read(text(""))).get()).isZero();
            assertThat(Attempt.start(thread, () -> pair.client().write(text(""))).get()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRejectReadOnlyBuffersToReadInto(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            assertThatThrownBy(() -> pair.client().read(text("x").asReadOnlyBuffer()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Read-only buffer");
            assertThatThrownBy(() -> pair.client().read((ByteBuffer) null))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> pair.client().write((ByteBuffer) null))
                    .isInstanceOf(NullPointerException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRejectBuffersOfAClosedArena(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer buffer;
            try (Arena arena = Arena.ofShared()) {
                buffer = arena.allocate(10).asByteBuffer();
            }
            assertThatThrownBy(() -> pair.client().read(buffer))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pair.client().write(buffer))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepAnArenaOpenWhileItsBufferIsReadInto(ThreadKind thread) throws Exception {
        try (var pair = Provider.OURS.pair();
                Arena arena = Arena.ofShared()) {
            ByteBuffer dst = arena.allocate(10).asByteBuffer();
            var read = Attempt.start(thread, () -> pair.server().read(dst)).awaitBlocked();
            assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
            pair.client().write(text("x"));
            assertThat(read.get()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldWriteAllInBlockingMode(ThreadKind thread) throws Exception {
        for (Kind kind : List.of(Kind.HEAP, Kind.DIRECT)) {
            try (var pair = Provider.OURS.pair()) {
                ByteBuffer src = kind.ofSize(10_000_000);
                var write = Attempt.start(thread, () -> pair.client().write(src)).awaitBlocked();
                assertThat(drain(pair.server(), src.capacity())).isEqualTo(src.capacity());
                assertThat(write.get()).isEqualTo(src.capacity());
                assertThat(src.hasRemaining()).isFalse();
            }
        }
    }

    // ---- turns ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldLetASecondReaderWaitItsTurn(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            ByteBuffer one = ByteBuffer.allocate(1);
            ByteBuffer two = ByteBuffer.allocate(1);
            var first = Attempt.start(thread, () -> pair.server().read(one)).awaitBlocked();
            var second = Attempt.start(thread, () -> pair.server().read(two)).awaitBlocked();
            pair.client().write(text("ab"));
            assertThat(first.get()).isEqualTo(1);
            assertThat(second.get()).isEqualTo(1);
            assertThat(string(one, 0, 1) + string(two, 0, 1)).isEqualTo("ab");
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldNotMixConcurrentWrites(Provider provider, ThreadKind thread) throws Exception {
        int size = 300_000;
        int writers = 4;
        try (var pair = provider.pair()) {
            var attempts = new ArrayList<Attempt<Object>>();
            for (int i = 0; i < writers; i++) {
                byte[] bytes = new byte[size];
                Arrays.fill(bytes, (byte) ('a' + i));
                ByteBuffer src = ByteBuffer.wrap(bytes);
                attempts.add(
                        Attempt.start(
                                thread,
                                () -> {
                                    if (provider == Provider.OURS) {
                                        pair.client().write(src); // all, in one piece
                                    } else {
                                        synchronized (pair) {
                                            while (src.hasRemaining()) {
                                                pair.client().write(src);
                                            }
                                        }
                                    }
                                    return null;
                                }));
            }
            ByteBuffer all = ByteBuffer.allocate(size * writers);
            while (all.hasRemaining() && pair.server().read(all) >= 0) {}
            for (var attempt : attempts) {
                attempt.get();
            }
            for (int i = 0; i < writers; i++) {
                byte first = all.get(i * size);
                for (int j = 1; j < size; j++) {
                    assertThat(all.get(i * size + j)).isEqualTo(first);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadAndWriteAtTheSameTime(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            var read =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(10)))
                            .awaitBlocked();
            assertThat(Attempt.start(thread, () -> pair.client().write(text("x"))).get())
                    .isEqualTo(1);
            assertThat(read.isDone()).isFalse();
            pair.server().write(text("y"));
            assertThat(read.get()).isEqualTo(1);
        }
    }

    // ---- half-close ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadTheEndAfterThePeerShutDownItsOutput(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            pair.client().write(text("bye"));
            var read =
                    Attempt.start(
                            thread,
                            () -> {
                                while (pair.server().read(ByteBuffer.allocate(10)) > 0) {}
                                return pair.server().read(ByteBuffer.allocate(10));
                            });
            read.awaitBlocked();
            pair.client().shutdownOutput();
            assertThat(read.get()).isEqualTo(-1);
            pair.server().write(text("still open"));
            assertThat(pair.client().read(ByteBuffer.allocate(10))).isEqualTo(10);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldEndAWaitingReadWhenTheInputIsShutDown(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            var read =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            pair.client().shutdownInput();
            assertThat(read.get()).isEqualTo(-1);
            pair.server().write(text("x"));
            assertThat(pair.client().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(pair.client().read(text("").asReadOnlyBuffer())).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailAWaitingWriteWhenTheOutputIsShutDown(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair().fill()) {
            var write =
                    Attempt.start(thread, () -> pair.client().write(ByteBuffer.allocate(10)))
                            .awaitBlocked();
            pair.client().shutdownOutput();
            assertThat(write.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> pair.client().write(text("x")))
                    .isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> pair.client().write(new ByteBuffer[] {text("x"), text("y")}))
                    .isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThat(pair.client().isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailANonBlockingWriteAfterTheOutputIsShutDown(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            pair.client().configureBlocking(false);
            pair.client().shutdownOutput();
            assertThatThrownBy(() -> pair.client().write(text("x")))
                    .isExactlyInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> pair.client().write(text("")))
                    .isExactlyInstanceOf(AsynchronousCloseException.class);
        }
    }

    // ---- errors ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldStayResetAfterThePeerResetTheConnection(Provider provider, ThreadKind thread)
            throws Exception {
        for (boolean direct : new boolean[] {true, false}) {
            try (var pair = provider.pair()) {
                ByteBuffer dst = direct ? ByteBuffer.allocateDirect(1) : ByteBuffer.allocate(1);
                pair.client().setOption(StandardSocketOptions.SO_LINGER, 0);
                var read = Attempt.start(thread, () -> pair.server().read(dst)).awaitBlocked();
                pair.client().close();
                assertThat(read.failure())
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Connection reset");
                assertThatThrownBy(() -> pair.server().read(dst))
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Connection reset");
                assertThatThrownBy(() -> pair.server().read(new ByteBuffer[] {dst, dst}))
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Connection reset");
                pair.server().configureBlocking(false);
                assertThatThrownBy(() -> pair.server().read(dst))
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Connection reset");
                pair.server().shutdownInput();
                assertThat(pair.server().read(dst)).isEqualTo(-1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReportABrokenPipe(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            pair.client().close();
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                while (true) {
                                    pair.server().write(text("x"));
                                }
                            });
            assertThat(write.failure())
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessageMatching("Broken pipe|Connection reset by peer");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToTransferBeforeConnected(Provider provider) throws Exception {
        try (SocketChannel channel = provider.socket()) {
            assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1)))
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(channel::shutdownInput).isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(channel::shutdownOutput)
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(channel::finishConnect)
                    .isInstanceOf(NoConnectionPendingException.class);
            assertThat(channel.isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseEverythingAfterClose(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            SocketChannel channel = pair.client();
            channel.close();
            ByteBuffer one = ByteBuffer.allocate(1);
            ByteBuffer[] row = {one, one};
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
            Stream.<ThrowingCallable>of(
                            () -> channel.read(one),
                            () -> channel.write(one),
                            () -> channel.read(row),
                            () -> channel.write(row),
                            () -> channel.connect(address),
                            () -> channel.finishConnect(),
                            () -> channel.bind(null),
                            () -> channel.shutdownInput(),
                            () -> channel.shutdownOutput(),
                            () -> channel.getLocalAddress(),
                            () -> channel.getRemoteAddress(),
                            () -> channel.getOption(StandardSocketOptions.TCP_NODELAY),
                            () -> channel.setOption(StandardSocketOptions.TCP_NODELAY, true),
                            () -> channel.configureBlocking(false))
                    .forEach(call ->
                            assertThatThrownBy(call)
                                    .isExactlyInstanceOf(ClosedChannelException.class));
            channel.close();
            assertThat(channel.isConnected()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToConnectTwice(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            assertThatThrownBy(() -> pair.client().connect(pair.client().getRemoteAddress()))
                    .isInstanceOf(AlreadyConnectedException.class);
            assertThat(pair.client().isOpen()).isTrue();
            assertThat(pair.client().finishConnect()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseAddressesThatCannotBeConnectedTo(Provider provider) throws Exception {
        try (SocketChannel channel = provider.socket()) {
            assertThatThrownBy(
                            () -> channel.connect(InetSocketAddress.createUnresolved("nohost", 1)))
                    .isInstanceOf(UnresolvedAddressException.class);
            assertThatThrownBy(() -> channel.connect(UnixDomainSocketAddress.of("/tmp/none")))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> channel.connect(null))
                    .isInstanceOf(NullPointerException.class);
            assertThat(channel.isOpen()).isTrue();
        }
    }

    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    private static String string(ByteBuffer buffer, int from, int length) {
        byte[] bytes = new byte[length];
        buffer.get(from, bytes);
        return new String(bytes, UTF_8);
    }

    private static long drain(SocketChannel channel, long length) throws IOException {
        ByteBuffer dst = ByteBuffer.allocateDirect(1 << 16);
        long total = 0;
        while (total < length) {
            dst.clear();
            int n = channel.read(dst);
            if (n < 0) {
                break;
            }
            total += n;
        }
        return total;
    }
}
