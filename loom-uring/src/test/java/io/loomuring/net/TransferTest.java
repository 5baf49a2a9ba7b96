package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;

/** Many bytes and many closes, at random. */
@Timeout(60) // seconds a test; interrupts it
class TransferTest {
    private static final long BYTES = 32L << 20;
    private static final String TOO_MANY = "Too many open files";

    static List<Object[]> ends() {
        var ends = new ArrayList<Object[]>();
        for (ThreadKind writer : ThreadKind.values()) {
            for (ThreadKind reader : ThreadKind.values()) {
                ends.add(new Object[] {writer, reader});
            }
        }
        return ends;
    }

    @ParameterizedTest
    @MethodSource("ends")
    void shouldTransferEveryByte(ThreadKind writer, ThreadKind reader) throws Exception {
        long seed = new Random().nextLong();
        try (var pair = Provider.OURS.pair()) {
            var write = Attempt.start(writer, () -> write(pair.client(), new Random(seed)));
            var read = Attempt.start(reader, () -> read(pair.server(), new Random(~seed)));
            assertThat(read.get()).as("seed %d", seed).isEqualTo(write.get());
        }
    }

    /** Writes by every means, half-closes, and returns the checksum. */
    private static long write(SocketChannel channel, Random random) throws IOException {
        var sum = new CRC32();
        long left = BYTES;
        while (left > 0) {
            ByteBuffer[] row = row(random, left);
            for (ByteBuffer src : row) {
                byte[] bytes = new byte[src.remaining()];
                random.nextBytes(bytes);
                src.duplicate().put(bytes);
                sum.update(bytes);
                left -= bytes.length;
            }
            switch (random.nextInt(3)) {
                case 0 -> {
                    for (ByteBuffer src : row) {
                        channel.write(src);
                    }
                }
                case 1 -> {
                    for (ByteBuffer src : row) {
                        byte[] bytes = new byte[src.remaining()];
                        src.get(bytes);
                        channel.socket().getOutputStream().write(bytes);
                    }
                }
                default -> channel.write(row);
            }
            for (ByteBuffer src : row) {
                assertThat(src.hasRemaining()).isFalse();
            }
        }
        channel.shutdownOutput();
        return sum.getValue();
    }

    /** Reads by every means up to the end, and returns the checksum. */
    private static long read(SocketChannel channel, Random random) throws IOException {
        var sum = new CRC32();
        while (true) {
            ByteBuffer[] row = row(random, Long.MAX_VALUE);
            long n =
                    switch (random.nextInt(3)) {
                        case 0 -> channel.read(row[0]);
                        case 1 -> {
                            byte[] bytes = new byte[row[0].capacity()];
                            int read = channel.socket().getInputStream().read(bytes);
                            row[0].put(bytes, 0, Math.max(0, read));
                            yield bytes.length == 0 ? 0 : read;
                        }
                        default -> channel.read(row);
                    };
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

    private static ByteBuffer[] row(Random random, long bytesMax) {
        ByteBuffer[] row = new ByteBuffer[random.nextInt(1, 6)];
        long left = bytesMax;
        for (int i = 0; i < row.length; i++) {
            int magnitude = 1 << random.nextInt(18);
            int size = (int) Math.min(left, random.nextInt(magnitude));
            left -= size;
            row[i] = random.nextBoolean() ? ByteBuffer.allocate(size) : direct(size);
        }
        return row;
    }

    private static ByteBuffer direct(int size) {
        return ByteBuffer.allocateDirect(size);
    }

    /**
     * Closes and interrupts against completion: whoever wins, the loser is told, every descriptor
     * is closed, and none is closed twice (then an assertion of ours fails) or while it is in use
     * (then a call fails for a reason that is none of those allowed here, or reads what is not its
     * own).
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCloseOnceWhoeverWins(boolean interrupt) throws Exception {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        int rounds = 3_000;
        var kinds = List.of(ThreadKind.values());
        int completed = 0;
        int closed = 0;
        long socketsBefore = Descriptors.sockets();
        try (ServerSocketChannel listener = Provider.OURS.listener()) {
            for (int round = 0; round < rounds; round++) {
                SocketChannel client = Provider.OURS.socket();
                client.connect(listener.getLocalAddress());
                SocketChannel server = listener.accept();
                byte stamp = (byte) (1 + round % 100);
                ByteBuffer dst =
                        random.nextBoolean()
                                ? ByteBuffer.allocate(4)
                                : ByteBuffer.allocateDirect(4);
                ThreadKind kind = kinds.get(random.nextInt(kinds.size()));
                var read = Attempt.start(kind, () -> client.read(dst));
                int delay = random.nextInt(3_000);
                var rival =
                        Attempt.start(
                                ThreadKind.VIRTUAL,
                                () -> {
                                    spin(delay);
                                    if (interrupt) {
                                        read.thread().interrupt();
                                    } else {
                                        client.close();
                                    }
                                    return null;
                                });
                spin(random.nextInt(3_000));
                server.write(ByteBuffer.wrap(new byte[] {stamp, stamp}));
                try {
                    assertThat(read.get()).as("seed %d", seed).isEqualTo(2);
                    assertThat(dst.get(0)).as("seed %d", seed).isEqualTo(stamp);
                    completed++;
                } catch (ClosedByInterruptException e) {
                    assertThat(interrupt).isTrue();
                    closed++;
                } catch (ClosedChannelException e) {
                    assertThat(interrupt).isFalse();
                    closed++;
                }
                rival.get();
                server.setOption(StandardSocketOptions.SO_LINGER, 0); // no ports in TIME_WAIT
                server.close();
                client.close();
            }
        }
        assertThat(completed).as("seed %d", seed).isPositive();
        assertThat(closed).as("seed %d", seed).isPositive();
        Attempt.eventually(
                "descriptors are closed",
                () -> {
                    try {
                        return Descriptors.sockets() <= socketsBefore;
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldKeepAcceptingAfterRunningOutOfDescriptors() throws Exception {
        // load every class that is used below: that takes descriptors, too
        Provider.OURS.pair().close();
        IOException expected = IoExceptions.io(-Errno.EMFILE);
        assertThat(expected).isExactlyInstanceOf(IOException.class).hasMessage(TOO_MANY);
        try (ServerSocketChannel listener = Provider.OURS.listener();
                SocketChannel client = Provider.JDK.socket()) {
            assertThat(Attempt.start(ThreadKind.VIRTUAL, () -> 1).get()).isEqualTo(1);
            client.connect(listener.getLocalAddress());
            List<SocketChannel> hogs = new ArrayList<>();
            Throwable failure = null;
            try {
                takeAll(hogs);
                failure = Attempt.start(ThreadKind.VIRTUAL, listener::accept).failure();
            } finally {
                for (SocketChannel hog : hogs) {
                    hog.close();
                }
            }
            assertThat(failure).isExactlyInstanceOf(IOException.class).hasMessage(TOO_MANY);
            assertThat(listener.isOpen()).isTrue();
            Attempt.start(ThreadKind.VIRTUAL, listener::accept).get().close();
        }
    }

    private static void takeAll(List<SocketChannel> hogs) {
        try {
            while (true) {
                hogs.add(Provider.JDK.socket());
            }
        } catch (IOException e) {
            // that was the last one
        }
    }
}
