package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import sun.nio.ch.SelChImpl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Random;
import java.util.zip.CRC32;

/** Pipes; their close and interrupt while a thread waits is in {@link AsyncCloseTest}. */
@Timeout(60) // seconds a test; interrupts it
class PipeTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";
    private static final long BYTES = 8L << 20;
    private static final long PATIENCE_MILLIS = 20_000;

    @ParameterizedTest
    @MethodSource("io.loomuring.net.TransferTest#ends")
    void shouldTransferEveryByte(ThreadKind writer, ThreadKind reader) throws Exception {
        long seed = new Random().nextLong();
        try (var pipe = Provider.OURS.pipe()) {
            var write = Attempt.start(writer, () -> write(pipe.sink(), new Random(seed)));
            var read = Attempt.start(reader, () -> read(pipe.source(), new Random(~seed)));
            assertThat(read.get()).as("seed %d", seed).isEqualTo(write.get());
        }
    }

    private static long write(Pipe.SinkChannel sink, Random random) throws IOException {
        var sum = new CRC32();
        long left = BYTES;
        while (left > 0) {
            ByteBuffer[] row = row(random);
            for (ByteBuffer src : row) {
                byte[] bytes = new byte[src.remaining()];
                random.nextBytes(bytes);
                src.duplicate().put(bytes);
                sum.update(bytes);
                left -= bytes.length;
            }
            if (random.nextBoolean()) {
                sink.write(row);
            } else {
                for (ByteBuffer src : row) {
                    sink.write(src.isDirect() ? src : src.asReadOnlyBuffer());
                    src.position(src.limit());
                }
            }
            for (ByteBuffer src : row) {
                assertThat(src.hasRemaining()).isFalse();
            }
        }
        sink.close();
        return sum.getValue();
    }

    private static long read(Pipe.SourceChannel source, Random random) throws IOException {
        var sum = new CRC32();
        while (true) {
            ByteBuffer[] row = row(random);
            long n = random.nextBoolean() ? source.read(row) : source.read(row[0]);
            if (n < 0) {
                return sum.getValue();
            }
            for (ByteBuffer dst : row) {
                n -= dst.position();
                sum.update(dst.flip());
            }
            assertThat(n).isZero();
        }
    }

    private static ByteBuffer[] row(Random random) {
        ByteBuffer[] row = new ByteBuffer[random.nextInt(1, 6)];
        for (int i = 0; i < row.length; i++) {
            int size = random.nextInt(1 << random.nextInt(18));
            row[i] = random.nextBoolean() ? ByteBuffer.allocate(size) : direct(size);
        }
        return row;
    }

    private static ByteBuffer direct(int size) {
        return ByteBuffer.allocateDirect(size);
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldWaitForData(Provider provider, ThreadKind thread) throws Exception {
        for (boolean isDirect : new boolean[] {true, false}) {
            try (var pipe = provider.pipe()) {
                ByteBuffer dst = isDirect ? direct(9) : ByteBuffer.allocate(9);
                var read = Attempt.start(thread, () -> pipe.source().read(dst)).awaitBlocked();
                pipe.sink().write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
                assertThat(read.get()).isEqualTo(3);
                assertThat(dst.position()).isEqualTo(3);
                assertThat(dst.get(2)).isEqualTo((byte) 3);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadTheEndWhenTheSinkIsClosed(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pipe = provider.pipe()) {
            var read =
                    Attempt.start(thread, () -> pipe.source().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            pipe.sink().close();
            assertThat(read.get()).isEqualTo(-1);
            assertThat(pipe.source().read(ByteBuffer.allocate(0))).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailAWriteWhenTheSourceIsClosed(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pipe = provider.pipe().fill()) {
            var write =
                    Attempt.start(thread, () -> pipe.sink().write(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            pipe.source().close();
            assertThat(write.failure())
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessage("Broken pipe");
            assertThat(pipe.sink().isOpen()).isTrue();
            var another = Attempt.start(thread, () -> pipe.sink().write(ByteBuffer.allocate(1)));
            assertThat(another.failure()).hasMessage("Broken pipe");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNeverWaitInNonBlockingMode(Provider provider) throws Exception {
        try (var pipe = provider.pipe()) {
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            ByteBuffer[] row = {direct(1), ByteBuffer.allocate(1)};
            assertThat(pipe.source().read(row)).isZero();
            assertThat(pipe.source().read(ByteBuffer.allocate(1))).isZero();
            ByteBuffer src = ByteBuffer.allocate(1 << 20);
            int written = pipe.sink().write(src);
            assertThat(written).isEqualTo(1 << 16).isEqualTo(src.position()); // what a pipe holds
            assertThat(pipe.sink().write(src)).isZero();
            assertThat(pipe.sink().write(row)).isZero();
            ByteBuffer dst = direct(1 << 20);
            while (dst.position() < written) {
                assertThat(pipe.source().read(dst)).isPositive();
            }
            pipe.sink().close();
            assertThat(pipe.source().read(dst)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldIgnoreInterruptsInNonBlockingMode(Provider provider) throws Exception {
        try (var pipe = provider.pipe()) {
            pipe.source().configureBlocking(false);
            var read =
                    Attempt.start(
                            ThreadKind.PLATFORM,
                            () -> {
                                Thread.currentThread().interrupt();
                                return pipe.source().read(ByteBuffer.allocate(1));
                            });
            assertThat(read.get()).isZero();
            assertThat(read.endedInterrupted()).isTrue();
            assertThat(pipe.source().isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldWaitWithAChangeOfModeForAReadUnderWay(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pipe = provider.pipe()) {
            var read =
                    Attempt.start(thread, () -> pipe.source().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            var change =
                    Attempt.start(thread, () -> pipe.source().configureBlocking(false))
                            .awaitBlocked();
            pipe.sink().write(ByteBuffer.allocate(1));
            assertThat(read.get()).isEqualTo(1);
            change.get();
            assertThat(pipe.source().read(ByteBuffer.allocate(1))).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRejectWhatCannotBeRead(Provider provider) throws Exception {
        try (var pipe = provider.pipe()) {
            ByteBuffer readOnly = ByteBuffer.allocate(1).asReadOnlyBuffer();
            assertThatThrownBy(() -> pipe.source().read(readOnly))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> pipe.source().read((ByteBuffer) null))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> pipe.sink().write(new ByteBuffer[1], 1, 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            pipe.source().close();
            assertThatThrownBy(() -> pipe.source().read(ByteBuffer.allocate(1)))
                    .isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> pipe.source().configureBlocking(false))
                    .isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellSelectorsWhatIsReady(Provider provider) throws Exception {
        try (Selector selector = provider.get().openSelector();
                var pipe = provider.pipe()) {
            assertThatThrownBy(() -> pipe.source().register(selector, SelectionKey.OP_READ))
                    .isInstanceOf(IllegalBlockingModeException.class);
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            SelectionKey in = pipe.source().register(selector, SelectionKey.OP_READ);
            SelectionKey out = pipe.sink().register(selector, SelectionKey.OP_WRITE);
            assertThat(selector.select(PATIENCE_MILLIS)).isEqualTo(1);
            assertThat(selector.selectedKeys()).containsExactly(out);
            selector.selectedKeys().clear();
            while (pipe.sink().write(ByteBuffer.allocate(1 << 12)) > 0) {
                // until it is full
            }
            assertThat(selector.select(PATIENCE_MILLIS)).isEqualTo(1);
            assertThat(selector.selectedKeys()).containsExactly(in);
            assertThat(in.isReadable()).isTrue();
            selector.selectedKeys().clear();
            pipe.source().close();
            selector.selectNow(); // lets go of the source
            selector.selectedKeys().clear();
            assertThat(selector.select(PATIENCE_MILLIS)).isEqualTo(1);
            assertThat(out.isWritable()).isTrue(); // the write will tell
        }
    }

    @Test
    void shouldCloseTheDescriptorWhenTheSelectorLetsGo() throws Exception {
        try (Selector selector = Provider.OURS.get().openSelector();
                var pipe = Provider.OURS.pipe()) {
            int fd = ((SelChImpl) pipe.source()).getFDVal();
            assertThat(Descriptors.isClosedOnExec(fd)).isTrue();
            pipe.source().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            pipe.source().close();
            assertThat(Descriptors.isOpen(fd)).isTrue();
            selector.selectNow();
            assertThat(Descriptors.isOpen(fd)).isFalse();
            int sink = ((SelChImpl) pipe.sink()).getFDVal();
            assertThat(Descriptors.isClosedOnExec(sink)).isTrue();
            pipe.sink().close();
            assertThat(Descriptors.isOpen(sink)).isFalse();
        }
    }
}
