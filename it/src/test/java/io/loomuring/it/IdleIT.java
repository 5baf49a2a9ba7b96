package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.EchoServer;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/** Idle costs nothing: none of our threads wakes while there is nothing to do. */
class IdleIT {
    private static final int CONNECTIONS = 300;
    private static final int WARM_UP_ROUNDS = 5;
    private static final Duration WINDOW = Duration.ofSeconds(Settings.size(3, 10));
    private static final Duration QUIET = Duration.ofMillis(500);
    private static final Duration QUIET_WAIT = Duration.ofSeconds(20);
    private static final String OUR_THREADS = "loom-uring";

    @ParameterizedTest
    @ValueSource(strings = {"", "blocked"})
    void noThreadOfOursWakesWhileAllConnectionsAreIdle(String argument) throws Exception {
        try (Child server = Child.program(Child.agent(), EchoServer.class, argument)) {
            int port = Integer.parseInt(server.nextLine());
            var connections = new ArrayList<SocketChannel>();
            try {
                for (int i = 0; i < CONNECTIONS; i++) {
                    connections.add(
                            SocketChannel.open(
                                    new InetSocketAddress(
                                            InetAddress.ofLiteral("127.0.0.1"), port)));
                }
                for (int i = 0; i < WARM_UP_ROUNDS; i++) {
                    echo(connections);
                }
                awaitQuiet(server.pid());

                Map<String, Long> before = switches(server.pid(), OUR_THREADS);
                Map<String, Long> allBefore = switches(server.pid(), "");
                Thread.sleep(WINDOW); // what is measured: nothing happens in this time
                Map<String, Long> after = switches(server.pid(), OUR_THREADS);
                Map<String, Long> allAfter = switches(server.pid(), "");

                System.out.printf(
                        "idle for %d s with %d connections: context switches of our threads %s,"
                                + " then %s; of the whole JVM: %d%n",
                        WINDOW.toSeconds(),
                        CONNECTIONS,
                        before,
                        after,
                        sum(allAfter) - sum(allBefore));
                assertThat(before).isNotEmpty();
                assertThat(after).isEqualTo(before);

                echo(connections);
                assertThat(sum(switches(server.pid(), OUR_THREADS))).isGreaterThan(sum(after));
            } finally {
                for (SocketChannel connection : connections) {
                    connection.close();
                }
            }
            assertThat(server.end()).isZero();
            System.out.println("ring operations: " + server.ringOperations());
            assertThat(server.ringOperations()).isGreaterThan((long) CONNECTIONS * WARM_UP_ROUNDS);
        }
    }

    private static void echo(List<SocketChannel> connections) throws IOException {
        for (SocketChannel connection : connections) {
            connection.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            ByteBuffer answer = ByteBuffer.allocate(3);
            while (answer.hasRemaining()) {
                assertThat(connection.read(answer)).isPositive();
            }
        }
    }

    /** Waits until our threads have been asleep for a while. */
    private static void awaitQuiet(long pid) {
        var last = new AtomicReference<Map<String, Long>>();
        var since = new AtomicReference<Long>(System.nanoTime());
        Patience.await(
                () -> "never quiet: " + switches(pid, OUR_THREADS),
                QUIET_WAIT,
                () -> {
                    Map<String, Long> now = switches(pid, OUR_THREADS);
                    if (!now.equals(last.getAndSet(now))) {
                        since.set(System.nanoTime());
                    }
                    return System.nanoTime() - since.get() > QUIET.toNanos();
                });
    }

    private static long sum(Map<String, Long> switches) {
        return switches.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Context switches, voluntary and not, of the threads with that beginning of the name. */
    private static Map<String, Long> switches(long pid, String name) {
        var found = new TreeMap<String, Long>();
        Path tasks = Path.of("/proc", Long.toString(pid), "task");
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(tasks)) {
            for (Path task : folders) {
                try {
                    String thread = Files.readString(task.resolve("comm")).strip();
                    if (thread.startsWith(name)) {
                        Path status = task.resolve("status");
                        found.put(
                                thread + " " + task.getFileName(),
                                Long.parseLong(Descriptors.field(status, "voluntary_ctxt_switches"))
                                        + Long.parseLong(
                                                Descriptors.field(
                                                        status, "nonvoluntary_ctxt_switches")));
                    }
                } catch (NoSuchFileException e) {
                    // the thread has ended
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return found;
    }
}
