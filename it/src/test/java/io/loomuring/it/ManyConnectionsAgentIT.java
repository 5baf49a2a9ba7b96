package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** Thousands of connections at once, a virtual thread at each end. */
@ExtendWith(OnRings.class)
class ManyConnectionsAgentIT {
    private static final int CONNECTIONS = 5_000;
    private static final int SPARE_DESCRIPTORS = 500;
    private static final int ROUNDS = Settings.size(3, 30);
    private static final int MESSAGE_BYTES = 200;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final AtomicLong answered = new AtomicLong();
    private final FirstFailure failure = new FirstFailure();

    @Test
    void everyoneOfThousandsOfConnectionsIsAnswered() throws Exception {
        long wanted = 2L * CONNECTIONS + SPARE_DESCRIPTORS;
        assumeTrue(descriptorsMax() >= wanted, "needs " + wanted + " open files (ulimit -n)");
        Map<Integer, String> before = Descriptors.ofThisProcessButCarriers();
        var threads = new ArrayList<Thread>();
        var allConnected = new CountDownLatch(CONNECTIONS);
        long start = System.nanoTime();
        try (var connections = new Connections(StandardProtocolFamily.INET)) {
            threads.add(
                    ThreadKind.VIRTUAL.unstarted("acceptor", () -> accept(connections, threads)));
            threads.getFirst().start();
            var clients = new ArrayList<Thread>();
            for (int i = 0; i < CONNECTIONS; i++) {
                int number = i;
                clients.add(
                        ThreadKind.VIRTUAL.unstarted(
                                "client " + i, () -> ask(connections, number, allConnected)));
            }
            clients.forEach(Thread::start);
            Patience.join(clients, LIMIT);
            Patience.join(threads.subList(0, 1), LIMIT); // adds the others
            Patience.join(threads, LIMIT);
        }
        failure.rethrow();
        System.out.printf(
                "  %,d connections, %,d requests, on %d carriers, in %.1f s%n",
                CONNECTIONS,
                answered.get(),
                RingSlots.carrierCount(),
                (System.nanoTime() - start) / 1e9);
        assertThat(answered.get()).isEqualTo((long) CONNECTIONS * ROUNDS);
        Descriptors.awaitNoMoreThan(before);
    }

    private void accept(Connections connections, List<Thread> threads) {
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                SocketChannel connection = connections.listener().accept();
                threads.add(Thread.ofVirtual().start(() -> echo(connection)));
            }
        } catch (IOException e) {
            failure.keep(Thread.currentThread().toString(), e);
        }
    }

    private void echo(SocketChannel connection) {
        ByteBuffer buffer = ByteBuffer.allocate(MESSAGE_BYTES);
        try (connection) {
            while (connection.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    connection.write(buffer);
                }
            }
        } catch (IOException e) {
            failure.keep(Thread.currentThread().toString(), e);
        }
    }

    private void ask(Connections connections, int number, CountDownLatch allConnected) {
        ByteBuffer request = ByteBuffer.allocate(MESSAGE_BYTES);
        ByteBuffer answer = ByteBuffer.allocate(MESSAGE_BYTES);
        try (SocketChannel connection = connections.connect()) {
            allConnected.countDown();
            allConnected.await();
            for (int round = 0; round < ROUNDS; round++) {
                request.clear().putInt(0, number).putInt(4, round);
                while (request.hasRemaining()) {
                    connection.write(request);
                }
                answer.clear();
                while (answer.hasRemaining()) {
                    assertThat(connection.read(answer)).isPositive();
                }
                assertThat(answer.getInt(0)).isEqualTo(number);
                assertThat(answer.getInt(4)).isEqualTo(round);
                answered.incrementAndGet();
            }
            connection.shutdownOutput();
            assertThat(connection.read(answer.clear())).isEqualTo(-1);
        } catch (Throwable e) {
            failure.keep(Thread.currentThread().toString(), e);
        }
    }

    private static long descriptorsMax() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
            if (line.startsWith("Max open files")) {
                String soft = line.substring("Max open files".length()).strip().split(" ", 2)[0];
                return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
            }
        }
        return 0;
    }
}
