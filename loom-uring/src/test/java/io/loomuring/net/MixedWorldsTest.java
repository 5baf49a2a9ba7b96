package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.Closeable;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Every kind of thread at once, with an event loop beside blocking threads in one process. Each
 * client sends what nobody else sends, and gets exactly that back.
 */
@Timeout(60) // seconds a test; interrupts it
class MixedWorldsTest {
    private static final int CLIENTS = 12; // of each kind, at each server
    private static final int MESSAGES = 150;
    private static final int BYTES_MAX = 20_000; // of a message

    /** Echoes by a selector, on one thread; a pipe ends it. */
    private static final class EventLoop implements Closeable {
        private final Selector selector = Provider.OURS.get().openSelector();
        private final ServerSocketChannel listener = Provider.OURS.listener();
        private final Provider.OpenPipe end = Provider.OURS.pipe();
        private final Attempt<Integer> loop;

        EventLoop(ThreadKind thread) throws IOException {
            listener.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
            end.source().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            loop = Attempt.start(thread, this::run);
        }

        private int run() throws IOException {
            int served = 0;
            while (true) {
                selector.select();
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.channel().equals(end.source())) {
                        return served;
                    }
                    if (key.isAcceptable()) {
                        served += accept();
                    } else {
                        echo(key);
                    }
                }
                selector.selectedKeys().clear();
            }
        }

        private int accept() throws IOException {
            int accepted = 0;
            SocketChannel channel;
            while ((channel = listener.accept()) != null) {
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ, ByteBuffer.allocateDirect(5_000));
                accepted++;
            }
            return accepted;
        }

        /** Reads when the buffer is empty, writes when it is not. */
        private static void echo(SelectionKey key) throws IOException {
            var channel = (SocketChannel) key.channel();
            var buffer = (ByteBuffer) key.attachment();
            if (key.isReadable()) {
                if (channel.read(buffer.clear()) < 0) {
                    channel.close();
                    return;
                }
                buffer.flip();
            }
            channel.write(buffer);
            key.interestOps(buffer.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
        }

        SocketAddress address() throws IOException {
            return listener.getLocalAddress();
        }

        int served() throws Exception {
            end.sink().write(ByteBuffer.allocate(1));
            return loop.get();
        }

        @Override
        public void close() throws IOException {
            end.close();
            selector.close();
            listener.close();
        }
    }

    /** Echoes by a thread a connection, of every kind in turn. */
    private static final class BlockingServer implements Closeable {
        private final ServerSocketChannel listener = Provider.OURS.listener();
        private final AtomicInteger served = new AtomicInteger();
        private final List<Attempt<Object>> threads = new ArrayList<>();

        BlockingServer() throws IOException {
            for (ThreadKind kind : ThreadKind.values()) {
                threads.add(Attempt.start(kind, () -> accept(kind)));
            }
        }

        private Object accept(ThreadKind kind) throws IOException {
            try {
                while (true) {
                    SocketChannel channel = listener.accept();
                    kind.start(() -> echo(channel));
                }
            } catch (ClosedChannelException e) {
                return null; // the end
            }
        }

        private void echo(SocketChannel channel) {
            try (channel) {
                ByteBuffer buffer = ByteBuffer.allocate(5_000);
                while (channel.read(buffer.clear()) >= 0) {
                    channel.write(buffer.flip());
                }
                served.incrementAndGet();
            } catch (IOException e) {
                // then its client misses what it sent
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    @SuppressWarnings("try") // closes early: that is the test
    @Test
    void shouldServeEveryKindOfThreadAtOnce() throws Exception {
        long seed = new Random().nextLong();
        long operationsBefore = LoomUring.counters().operations;
        try (var loop = new EventLoop(ThreadKind.PLATFORM);
                var server = new BlockingServer()) {
            var clients = new ArrayList<Attempt<Long>>();
            for (int i = 0; i < CLIENTS; i++) {
                for (ThreadKind kind : ThreadKind.values()) {
                    for (SocketAddress address :
                            new SocketAddress[] {
                                loop.address(), server.listener.getLocalAddress()
                            }) {
                        var random = new Random(seed + clients.size());
                        clients.add(Attempt.start(kind, () -> talk(address, random)));
                    }
                }
            }
            for (Attempt<Long> client : clients) {
                assertThat(client.get()).as("seed %d", seed).isPositive();
            }
            int each = clients.size() / 2;
            assertThat(loop.served()).isEqualTo(each);
            Attempt.eventually("all are served", () -> server.served.get() == each);
            server.close();
            for (Attempt<Object> acceptor : server.threads) {
                acceptor.get();
            }
        }
        assertThat(LoomUring.counters().operations - operationsBefore)
                .isGreaterThan(CLIENTS * MESSAGES);
    }

    /** Sends messages and compares each answer; returns how many bytes that was. */
    private static long talk(SocketAddress address, Random random) throws IOException {
        long total = 0;
        try (SocketChannel channel = Provider.OURS.socket()) {
            channel.connect(address);
            for (int i = 0; i < MESSAGES; i++) {
                byte[] message = new byte[random.nextInt(1, BYTES_MAX)];
                random.nextBytes(message);
                if (i % 2 == 0) {
                    channel.write(ByteBuffer.wrap(message));
                } else {
                    channel.write(ByteBuffer.allocateDirect(message.length).put(message).flip());
                }
                ByteBuffer answer = ByteBuffer.allocate(message.length);
                while (answer.hasRemaining() && channel.read(answer) >= 0) {
                    // more
                }
                if (!answer.flip().equals(ByteBuffer.wrap(message))) {
                    throw new IOException("message " + i + " came back changed");
                }
                total += message.length;
            }
        }
        return total;
    }
}
