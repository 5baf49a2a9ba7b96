package io.loomuring.tls;

import org.conscrypt.Conscrypt;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

import javax.net.ssl.SSLContext;

/**
 * What TLS costs a server: a thread for each connection, ordinary sockets, TLS 1.3. The server has
 * a JVM and a processor of its own; its CPU time is what counts. The load is the same for all:
 * JSSE, and of short messages OpenSSL, which costs less than any server, so that the server is
 * always busy. {@code src/test/bin/measure} runs it: {@code client ROUNDS LOOM-URING-JAR TLS-LOAD}.
 */
final class TlsBench {
    private TlsBench() {}

    private static final int MESSAGE = 64; // bytes
    private static final int CHUNK = 64 << 10; // bytes
    private static final int[] CONNECTIONS = {1, 16, 128}; // of short messages
    private static final long WARM_UP_MILLIS = 1500;
    private static final long ECHO_WARM_UP_MILLIS = 4000; // short messages show what JITs have done
    private static final long MEASURE_MILLIS = 2000;

    /** What the connection is for, its first byte. */
    private enum Task {
        HANDSHAKE,
        ECHO,
        BULK
    }

    private record Variant(String provider, boolean agent) {
        @Override
        public String toString() {
            String name =
                    switch (provider) {
                        case "OURS" -> "LoomUringTLS";
                        case "JSSE" -> "JSSE";
                        default -> "Conscrypt's SSLSocket";
                    };
            return name + (agent ? ", loom-uring" : ", stock JDK");
        }
    }

    /** {@code server PROVIDER}, or {@code client ROUNDS LOOM-URING-JAR TLS-LOAD}. */
    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("server")) {
            serve(arguments[1]);
        } else {
            compare(Integer.parseInt(arguments[1]), arguments[2], arguments[3]);
        }
    }

    private static SSLContext context(String provider) throws GeneralSecurityException {
        if (!provider.equals("CONSCRYPT")) {
            return TlsProvider.valueOf(provider).context("server");
        }
        SSLContext context = SSLContext.getInstance("TLS", Conscrypt.newProvider());
        context.init(Identities.keys("server"), Identities.trust("ca"), null);
        return context;
    }

    // ---- server ----

    private static void serve(String provider) throws Exception {
        ServerSocket listener =
                context(provider)
                        .getServerSocketFactory()
                        .createServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        System.out.println(listener.getLocalPort());
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        while (true) {
                            Socket accepted = listener.accept();
                            Thread.ofVirtual().start(() -> answer(accepted));
                        }
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
        var system =
                (com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        while (in.readLine() != null) {
            System.out.println(system.getProcessCpuTime());
        }
    }

    private static void answer(Socket accepted) {
        try (accepted) {
            accepted.setTcpNoDelay(true);
            InputStream in = accepted.getInputStream();
            OutputStream out = accepted.getOutputStream();
            int task = in.read();
            if (task < 0) {
                return;
            }
            byte[] buffer = new byte[CHUNK];
            switch (Task.values()[task]) {
                case HANDSHAKE -> out.write(1);
                case BULK -> {
                    while (true) {
                        out.write(buffer);
                    }
                }
                case ECHO -> {
                    while (in.readNBytes(buffer, 0, MESSAGE) == MESSAGE) {
                        out.write(buffer, 0, MESSAGE);
                    }
                }
            }
        } catch (IOException e) {
            // the client has had enough
        }
    }

    // ---- client ----

    private static final class Server implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;
        final int port;

        Server(Variant variant, String agent) throws IOException {
            var command = new ArrayList<>(List.of("taskset", "-c", "0"));
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            if (variant.agent) {
                command.addAll(List.of("-javaagent:" + agent, "-Dloomuring.mode=required"));
            }
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("-Xmx512m", "-cp", System.getProperty("java.class.path")));
            command.addAll(List.of(TlsBench.class.getName(), "server", variant.provider));
            process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            output =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.US_ASCII));
            port = Integer.parseInt(output.readLine());
        }

        long cpuNanos() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            return Long.parseLong(output.readLine());
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private interface Work {
        void run(LongAdder done) throws Exception;
    }

    private static volatile boolean stopped;

    /** CPU microseconds of the server for a piece of work, and pieces a second. */
    private static double[] measure(Server server, int threads, Work work) throws Exception {
        var done = new LongAdder();
        stopped = false;
        var workers = new ArrayList<Thread>();
        for (int i = 0; i < threads; i++) {
            workers.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    work.run(done);
                                } catch (Exception e) {
                                    if (!stopped) {
                                        e.printStackTrace();
                                    }
                                }
                            }));
        }
        Thread.sleep(WARM_UP_MILLIS);
        long before = done.sum();
        long cpuBefore = server.cpuNanos();
        long start = System.nanoTime();
        Thread.sleep(MEASURE_MILLIS);
        long count = done.sum() - before;
        double cpuNanos = server.cpuNanos() - cpuBefore;
        double seconds = (System.nanoTime() - start) / 1e9;
        stopped = true;
        for (Thread worker : workers) {
            worker.join();
        }
        return new double[] {cpuNanos / 1000 / count, count / seconds};
    }

    private static Socket connect(SSLContext client, Server server, Task task) throws IOException {
        return connect(client, new Socket("localhost", server.port), task);
    }

    @SuppressWarnings("EnumOrdinal") // both sides are this class
    private static Socket connect(SSLContext client, Socket connected, Task task)
            throws IOException {
        Socket socket =
                client.getSocketFactory()
                        .createSocket(connected, "localhost", connected.getPort(), true);
        socket.setTcpNoDelay(true);
        socket.getOutputStream().write(task.ordinal());
        return socket;
    }

    private static SSLContext client() {
        return TlsProvider.JSSE.context("TLS", null, Identities.trust("ca"));
    }

    /** As {@link #measure}, by the load in C. */
    @SuppressWarnings("EnumOrdinal") // both sides are this class
    private static double[] measureEcho(Server server, String load, int connections)
            throws IOException {
        Process process =
                new ProcessBuilder(
                                load,
                                Integer.toString(server.port),
                                Integer.toString(Task.ECHO.ordinal()),
                                Integer.toString(connections),
                                Double.toString(ECHO_WARM_UP_MILLIS / 1e3),
                                Double.toString(MEASURE_MILLIS / 1e3))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader output = process.inputReader(StandardCharsets.US_ASCII)) {
            output.readLine(); // measuring
            long cpuBefore = server.cpuNanos();
            long start = System.nanoTime();
            String count = output.readLine();
            if (count == null) {
                throw new IOException("the load gave up");
            }
            double cpuNanos = server.cpuNanos() - cpuBefore;
            double seconds = (System.nanoTime() - start) / 1e9;
            long answers = Long.parseLong(count);
            return new double[] {cpuNanos / 1000 / answers, answers / seconds};
        } finally {
            process.destroyForcibly();
        }
    }

    private static double[][] all(Server server, String load) throws Exception {
        SSLContext shared = client();
        Work full = done -> shakeHands(server, null, done);
        Work resumed = done -> shakeHands(server, shared, done);
        Work bulk =
                done -> {
                    try (var plain = new Socket("localhost", server.port);
                            Socket socket = connect(shared, plain, Task.BULK)) {
                        byte[] chunk = new byte[CHUNK];
                        long bytes = 0;
                        while (!stopped) {
                            bytes += socket.getInputStream().read(chunk);
                            for (; bytes >= 1 << 20; bytes -= 1 << 20) {
                                done.increment();
                            }
                        }
                        plain.shutdownInput(); // JSSE's own close reads as long as something comes
                    }
                };
        var found = new ArrayList<double[]>();
        found.add(measure(server, 2, full));
        found.add(measure(server, 2, resumed));
        for (int connections : CONNECTIONS) {
            found.add(measureEcho(server, load, connections));
        }
        found.add(measure(server, 1, bulk));
        return found.toArray(double[][]::new);
    }

    private static void shakeHands(Server server, SSLContext shared, LongAdder done)
            throws IOException {
        SSLContext own = shared == null ? client() : shared;
        while (!stopped) {
            try (Socket socket = connect(own, server, Task.HANDSHAKE)) {
                socket.getInputStream().read();
                done.increment();
            }
            if (shared == null) { // forget the session
                own.getClientSessionContext().setSessionTimeout(1);
                own = client();
            }
        }
    }

    private static void compare(int rounds, String agent, String load) throws Exception {
        var variants =
                List.of(
                        new Variant("JSSE", false),
                        new Variant("CONSCRYPT", false),
                        new Variant("JSSE", true),
                        new Variant("CONSCRYPT", true),
                        new Variant("OURS", true),
                        new Variant("OURS", false));
        Map<Variant, List<double[][]>> found = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (Variant variant : variants) {
                try (Server server = new Server(variant, agent)) {
                    found.computeIfAbsent(variant, _ -> new ArrayList<>()).add(all(server, load));
                }
            }
        }
        System.out.println(
                "| server: CPU us, lowest (median, highest) of "
                        + rounds
                        + " | full handshake | resumed | 64 bytes: 1 connection | 16 | 128"
                        + " | 1 MiB sent |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        found.forEach((variant, all) -> {
            var row = new StringBuilder("| " + variant);
            for (int i = 0; i < all.getFirst().length; i++) {
                int kind = i;
                double[] sorted = all.stream().mapToDouble(one -> one[kind][0]).sorted().toArray();
                row.append(
                        String.format(
                                Locale.ROOT,
                                " | %.2f (%.2f, %.2f)",
                                sorted[0],
                                sorted[sorted.length / 2],
                                sorted[sorted.length - 1]));
            }
            System.out.println(row + " |");
        });
    }
}
