package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/** {@code FileChannel.transferTo} and {@code transferFrom} with sockets and pipes. */
@Timeout(60) // seconds a test; interrupts it
class FileTransferTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";
    private static final int SIZE = (9 << 20) + 1234; // more than the JDK would map at once

    @TempDir Path folder;
    private Path file;
    private long sum;

    @BeforeEach
    void writeFile() throws IOException {
        byte[] bytes = new byte[SIZE];
        new Random().nextBytes(bytes);
        file = Files.write(folder.resolve("content"), bytes);
        sum = sumOf(bytes);
    }

    private static long sumOf(byte[] bytes) {
        var crc = new CRC32();
        crc.update(bytes);
        return crc.getValue();
    }

    /** Sends all of the file, by as few transfers as it takes. */
    private long send(WritableByteChannel target) throws IOException {
        try (FileChannel source = FileChannel.open(file)) {
            long position = 0;
            while (position < source.size()) {
                position += source.transferTo(position, Long.MAX_VALUE, target);
            }
            return position;
        }
    }

    private static long sumUpTo(ReadableByteChannel channel, long size) throws IOException {
        var crc = new CRC32();
        ByteBuffer dst = ByteBuffer.allocate(10_000);
        long left = size;
        while (left > 0) {
            int n = channel.read(dst.clear().limit((int) Math.min(left, dst.capacity())));
            if (n < 0) {
                throw new IOException("the end, " + left + " bytes early");
            }
            left -= n;
            crc.update(dst.flip());
        }
        return crc.getValue();
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldSendAFile(Provider provider, ThreadKind thread) throws Exception {
        for (var family :
                new StandardProtocolFamily[] {
                    StandardProtocolFamily.INET, StandardProtocolFamily.UNIX
                }) {
            try (var pair = provider.pair(family)) {
                var send = Attempt.start(thread, () -> send(pair.client()));
                var read = Attempt.start(thread, () -> sumUpTo(pair.server(), SIZE));
                assertThat(send.get()).isEqualTo(SIZE);
                assertThat(read.get()).isEqualTo(sum);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReceiveAFile(Provider provider, ThreadKind thread) throws Exception {
        Path copy = folder.resolve("copy");
        try (var pair = provider.pair()) {
            var send = Attempt.start(thread, () -> send(pair.client()));
            var receive =
                    Attempt.start(
                            thread,
                            () -> {
                                try (FileChannel target =
                                        FileChannel.open(
                                                copy,
                                                StandardOpenOption.CREATE_NEW,
                                                StandardOpenOption.WRITE)) {
                                    return target.transferFrom(pair.server(), 0, SIZE);
                                }
                            });
            assertThat(receive.get()).isEqualTo(SIZE);
            send.get();
        }
        assertThat(sumOf(Files.readAllBytes(copy))).isEqualTo(sum);
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldSendAndReceiveByPipes(Provider provider, ThreadKind thread) throws Exception {
        Path copy = folder.resolve("copy");
        try (var pipe = provider.pipe()) {
            var send = Attempt.start(thread, () -> send(pipe.sink()));
            try (FileChannel target =
                    FileChannel.open(
                            copy, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                assertThat(target.transferFrom(pipe.source(), 0, SIZE)).isEqualTo(SIZE);
            }
            assertThat(send.get()).isEqualTo(SIZE);
        }
        assertThat(sumOf(Files.readAllBytes(copy))).isEqualTo(sum);
    }

    /** In blocking mode one transfer is all there is, however slow the peer. */
    @ParameterizedTest
    @EnumSource
    void shouldSendAllToASlowReader(ThreadKind thread) throws Exception {
        try (var pair = Provider.OURS.pair().fill();
                FileChannel source = FileChannel.open(file)) {
            var send = waiting(thread, source, pair);
            long before = drain(pair.server(), 100_000);
            assertThat(before).isEqualTo(100_000);
            assertThat(send.awaitBlocked().isDone()).isFalse();
            pair.client().shutdownInput(); // the transfer does not mind
            var rest = Attempt.start(thread, () -> drain(pair.server(), Long.MAX_VALUE));
            assertThat(send.get()).isEqualTo(SIZE);
            pair.client().close();
            assertThat(rest.get()).isGreaterThan(SIZE - 100_000);
        }
    }

    private static long drain(SocketChannel channel, long bytes) throws IOException {
        ByteBuffer dst = ByteBuffer.allocate(1 << 16);
        long left = bytes;
        while (left > 0) {
            int n = channel.read(dst.clear().limit((int) Math.min(left, dst.capacity())));
            if (n < 0) {
                break;
            }
            left -= n;
        }
        return bytes - left;
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendWhatFitsInNonBlockingMode(Provider provider) throws Exception {
        try (var pair = provider.pair();
                FileChannel source = FileChannel.open(file);
                Selector selector = provider.get().openSelector()) {
            pair.client().configureBlocking(false).register(selector, SelectionKey.OP_WRITE);
            long position = 0;
            long n;
            do {
                n = source.transferTo(position, Long.MAX_VALUE, pair.client());
                position += n;
            } while (n > 0);
            assertThat(position).isPositive().isLessThan(SIZE);
            var read = Attempt.start(ThreadKind.PLATFORM, () -> sumUpTo(pair.server(), SIZE));
            while (position < SIZE) {
                selector.select(key -> {});
                position += source.transferTo(position, Long.MAX_VALUE, pair.client());
            }
            assertThat(read.get()).isEqualTo(sum);
        }
    }

    /**
     * {@code sendfile(2)} counts what it moves as read and as written; the system calls of sockets
     * do not count, and a file that is mapped is not read.
     */
    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldCopyNothing(Provider provider, ThreadKind thread) throws Exception {
        for (boolean stream : new boolean[] {false, true}) {
            try (var pair = provider.pair()) {
                var read = Attempt.start(thread, () -> sumUpTo(pair.server(), SIZE));
                long writtenBefore = bytesWritten();
                var send =
                        Attempt.start(
                                thread,
                                () -> stream ? sendStream(pair.client()) : send(pair.client()));
                assertThat(send.get()).isEqualTo(SIZE);
                assertThat(bytesWritten() - writtenBefore).isGreaterThanOrEqualTo(SIZE);
                assertThat(read.get()).isEqualTo(sum);
            }
        }
    }

    private long sendStream(SocketChannel channel) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.transferTo(Channels.newOutputStream(channel));
        }
    }

    /** What this process has written, in the count of the kernel. */
    private static long bytesWritten() throws IOException {
        String label = "wchar:";
        for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
            if (line.startsWith(label)) {
                return Long.parseLong(line.substring(label.length()).strip());
            }
        }
        throw new AssertionError("no " + label);
    }

    /** More of them than there are carriers; each parks, and so leaves its carrier to others. */
    @Test
    void shouldHoldNoCarrierWhileThePeerDoesNotRead() throws Exception {
        var pairs = new ArrayList<Provider.Pair>();
        try (FileChannel source = FileChannel.open(file)) {
            List<Attempt<Long>> sends = new ArrayList<>();
            int count = 4 * Runtime.getRuntime().availableProcessors();
            for (int i = 0; i < count; i++) {
                var pair = Provider.OURS.pair().fill();
                pairs.add(pair);
                sends.add(
                        Attempt.start(
                                ThreadKind.VIRTUAL,
                                () -> source.transferTo(0, SIZE, pair.client())));
            }
            for (Attempt<Long> send : sends) {
                send.awaitBlocked();
                Attempt.eventually(
                        "parked", () -> send.thread().getState() == Thread.State.WAITING);
            }
            assertThat(Attempt.start(ThreadKind.VIRTUAL, () -> 1).get()).isEqualTo(1);
            for (var pair : pairs) {
                pair.client().close();
            }
            for (Attempt<Long> send : sends) {
                try {
                    assertThat(send.get()).isPositive();
                } catch (AsynchronousCloseException e) {
                    // nothing had fit in
                }
            }
        } finally {
            for (var pair : pairs) {
                pair.close();
            }
        }
    }

    /** The socket's descriptor changes its mode at every transfer of a virtual thread. */
    @ParameterizedTest
    @MethodSource("io.loomuring.net.TransferTest#ends")
    void shouldReadWhileAFileIsSent(ThreadKind sender, ThreadKind reader) throws Exception {
        try (var pair = Provider.OURS.pair()) {
            int rounds = 20_000;
            var echo = Attempt.start(ThreadKind.PLATFORM, () -> sumUpTo(pair.server(), SIZE));
            var feed =
                    Attempt.start(
                            ThreadKind.PLATFORM,
                            () -> {
                                for (int i = 0; i < rounds; i++) {
                                    pair.server().write(ByteBuffer.allocate(1));
                                }
                                return null;
                            });
            var read =
                    Attempt.start(
                            reader,
                            () -> {
                                ByteBuffer heap = ByteBuffer.allocate(1);
                                ByteBuffer direct = ByteBuffer.allocateDirect(1);
                                for (int i = 0; i < rounds; i++) {
                                    int n =
                                            pair.client()
                                                    .read((i % 2 == 0 ? heap : direct).clear());
                                    assertThat(n).isEqualTo(1);
                                }
                                return null;
                            });
            var send =
                    Attempt.start(
                            sender,
                            () -> {
                                try (FileChannel source = FileChannel.open(file)) {
                                    long position = 0;
                                    while (position < SIZE) {
                                        position +=
                                                source.transferTo(position, 5_000, pair.client());
                                    }
                                    return position;
                                }
                            });
            assertThat(send.get()).isEqualTo(SIZE);
            assertThat(echo.get()).isEqualTo(sum);
            feed.get();
            read.get();
        }
    }

    /** The JDK leaves a virtual thread in the system call. */
    static Stream<Arguments> threadsThatCanBeGotOut() {
        return Cases.providersAndThreads()
                .filter(c -> c.get()[0] == Provider.OURS || c.get()[1] == ThreadKind.PLATFORM);
    }

    /** A transfer into a connection that takes no byte more. */
    private static Attempt<Long> waiting(
            ThreadKind thread, FileChannel source, Provider.Pair full) {
        return Attempt.start(thread, () -> source.transferTo(0, SIZE, full.client()))
                .awaitBlocked();
    }

    @ParameterizedTest
    @MethodSource("threadsThatCanBeGotOut")
    void shouldFailAWaitingTransferWhenTheSocketIsClosed(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair().fill();
                FileChannel source = FileChannel.open(file)) {
            var send = waiting(thread, source, pair);
            pair.client().close();
            assertThat(send.failure()).isInstanceOf(AsynchronousCloseException.class);
            assertThat(source.isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("threadsThatCanBeGotOut")
    void shouldCloseBothAndFailAWaitingTransferWhenInterrupted(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair().fill();
                FileChannel source = FileChannel.open(file)) {
            var send = waiting(thread, source, pair);
            send.thread().interrupt();
            assertThat(send.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(send.endedInterrupted()).isTrue();
            assertThat(source.isOpen()).isFalse();
            assertThat(pair.client().isOpen()).isFalse();
        }
    }

    @SuppressWarnings("try") // closes early: that is the test
    @ParameterizedTest
    @EnumSource
    void shouldFailAPlatformThreadsTransferWhenTheFileIsClosed(Provider provider) throws Exception {
        try (var pair = provider.pair().fill();
                FileChannel source = FileChannel.open(file)) {
            var send = waiting(ThreadKind.PLATFORM, source, pair);
            source.close();
            assertThat(send.failure()).isInstanceOf(AsynchronousCloseException.class);
            assertThat(pair.client().isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailWhereNothingCanBeSent(Provider provider, ThreadKind thread) throws Exception {
        try (FileChannel source = FileChannel.open(file);
                SocketChannel unconnected = provider.socket();
                var pair = provider.pair()) {
            var early = Attempt.start(thread, () -> source.transferTo(0, 1, unconnected));
            assertThat(early.failure()).isInstanceOf(NotYetConnectedException.class);
            assertThat(source.transferTo(SIZE, 1, pair.client())).isZero();
            assertThat(source.transferTo(0, 0, pair.client())).isZero();
            pair.client().shutdownOutput();
            var half = Attempt.start(thread, () -> source.transferTo(0, 1, pair.client()));
            assertThat(half.failure()).isInstanceOf(ClosedChannelException.class);
            pair.client().close();
            assertThatThrownBy(() -> source.transferTo(0, 1, pair.client()))
                    .isInstanceOf(ClosedChannelException.class);
        }
        try (FileChannel source = FileChannel.open(file);
                var pair = provider.pair()) {
            pair.server().close();
            var broken = Attempt.start(thread, () -> sendUntilItFails(source, pair.client()));
            assertThat(broken.failure())
                    .isExactlyInstanceOf(IOException.class)
                    .message()
                    .isIn("Broken pipe", "Connection reset by peer");
        }
    }

    private static Object sendUntilItFails(FileChannel source, SocketChannel target)
            throws IOException {
        while (true) {
            source.transferTo(0, SIZE, target);
        }
    }
}
