package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/** Much data through many connections of all kinds at once, by calls of every shape. */
@ExtendWith(OnRings.class)
class ChecksumAgentIT {
    private static final long BYTES = Settings.size(128, 1024) * 1024L * 1024L;
    private static final int CALL_BYTES_LOG2_MAX = 19;
    private static final int BUFFERS_MAX = 5; // of a gathering write or a scattering read
    private static final int BLOCK = 1 << CALL_BYTES_LOG2_MAX;
    private static final Duration LIMIT = Duration.ofMinutes(Settings.size(1, 5));

    private final SplittableRandom random = Settings.random("checksum");
    private final byte[] content = new byte[2 * BLOCK];
    private final AtomicLong received = new AtomicLong();
    private final FirstFailure failure = new FirstFailure();

    @Test
    void bytesArriveAsTheyWereSentThroughCallsOfAnyShape() throws Exception {
        random.nextBytes(content);
        var threads = new ArrayList<Thread>();
        var pairs = new ArrayList<Connections.Pair>();
        int kinds = ThreadKind.values().length;
        long bytesEach = BYTES / (3L * kinds * kinds) + 1;
        for (StandardProtocolFamily family : StandardProtocolFamily.values()) {
            try (var connections = new Connections(family)) {
                for (ThreadKind sender : ThreadKind.values()) {
                    for (ThreadKind receiver : ThreadKind.values()) {
                        Connections.Pair pair = connections.open();
                        pairs.add(pair);
                        var sends = new Transfer(random.split(), pair.client());
                        var receives = new Transfer(random.split(), pair.server());
                        String name = family + " " + sender + " to " + receiver;
                        threads.add(
                                sender.unstarted(
                                        name, failure.guard(name, () -> sends.send(bytesEach))));
                        threads.add(
                                receiver.unstarted(name, failure.guard(name, receives::receive)));
                    }
                }
            }
        }
        long start = System.nanoTime();
        threads.forEach(Thread::start);
        Patience.join(threads, LIMIT);
        failure.rethrow();
        assertThat(received.get()).isEqualTo(bytesEach * 3 * kinds * kinds);
        System.out.printf(
                "  %,d bytes over %d connections in %.1f s%n",
                received.get(), pairs.size(), (System.nanoTime() - start) / 1e9);
    }

    /** One end of a connection. */
    private final class Transfer {
        private final SplittableRandom random;
        private final SocketChannel channel;
        private final CRC32C checksum = new CRC32C();

        Transfer(SplittableRandom random, SocketChannel channel) {
            this.random = random;
            this.channel = channel;
        }

        /** Sends, closes one half, and hears through the other what arrived. */
        void send(long total) throws IOException {
            long sent = 0;
            while (sent < total) {
                sent += write((int) Math.min(total - sent, someLength()));
            }
            channel.shutdownOutput();
            ByteBuffer answer = ByteBuffer.allocate(Long.BYTES);
            while (answer.hasRemaining()) {
                assertThat(channel.read(answer)).isPositive();
            }
            assertThat(channel.read(ByteBuffer.allocate(1))).as("end of stream").isEqualTo(-1);
            assertThat(answer.getLong(0)).as("checksum").isEqualTo(checksum.getValue());
            channel.close();
        }

        void receive() throws IOException {
            long n;
            do {
                n = read(someLength());
                received.addAndGet(Math.max(0, n));
            } while (n >= 0);
            ByteBuffer answer = ByteBuffer.allocate(Long.BYTES).putLong(0, checksum.getValue());
            while (answer.hasRemaining()) {
                channel.write(answer);
            }
            channel.close();
        }

        private int someLength() {
            return 1 + random.nextInt(1 << random.nextInt(CALL_BYTES_LOG2_MAX + 1));
        }

        private int write(int length) throws IOException {
            int from = random.nextInt(content.length - length);
            checksum.update(content, from, length);
            ByteBuffer[] parts = parts(length);
            int copied = 0;
            for (int i = 0; i < parts.length; i++) {
                int part = parts[i].remaining();
                parts[i].duplicate().put(content, from + copied, part);
                copied += part;
                if (random.nextInt(4) == 0) {
                    parts[i] = parts[i].asReadOnlyBuffer();
                }
            }
            if (parts.length == 1) {
                while (parts[0].hasRemaining()) {
                    channel.write(parts[0]);
                }
            } else {
                long written = 0;
                while (written < length) {
                    written += channel.write(parts);
                }
                assertThat(written).isEqualTo(length);
            }
            for (ByteBuffer part : parts) {
                assertThat(part.hasRemaining()).isFalse();
            }
            return length;
        }

        private long read(int length) throws IOException {
            ByteBuffer[] parts = parts(length);
            int[] starts = new int[parts.length];
            for (int i = 0; i < parts.length; i++) {
                starts[i] = parts[i].position();
            }
            long n = parts.length == 1 ? channel.read(parts[0]) : channel.read(parts);
            long filled = 0;
            for (int i = 0; i < parts.length; i++) {
                ByteBuffer part = parts[i];
                assertThat(filled == n || n < 0 || i == 0 || !parts[i - 1].hasRemaining())
                        .as("a buffer is filled before the next one")
                        .isTrue();
                filled += part.position() - starts[i];
                checksum.update(part.limit(part.position()).position(starts[i]));
            }
            assertThat(filled).isEqualTo(Math.max(0, n));
            assertThat(n).isNotZero();
            return n;
        }

        /** Buffers with that many bytes remaining, somewhere within them. */
        private ByteBuffer[] parts(int length) {
            var parts = new ByteBuffer[1 + random.nextInt(random.nextBoolean() ? 1 : BUFFERS_MAX)];
            int left = length;
            for (int i = 0; i < parts.length; i++) {
                boolean last = i == parts.length - 1;
                int part = last ? left : random.nextInt(left + 1);
                parts[i] = buffer(part);
                left -= part;
            }
            return parts;
        }

        private ByteBuffer buffer(int remaining) {
            int position = random.nextInt(16);
            int capacity = position + remaining + random.nextInt(16);
            ByteBuffer buffer =
                    random.nextBoolean()
                            ? ByteBuffer.allocate(capacity)
                            : ByteBuffer.allocateDirect(capacity);
            return buffer.position(position).limit(position + remaining);
        }
    }
}
