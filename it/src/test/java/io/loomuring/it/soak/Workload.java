package io.loomuring.it.soak;

import io.loomuring.it.web.ClientKind;
import io.loomuring.it.web.ServerKind;

import org.HdrHistogram.Histogram;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

import javax.net.ssl.SSLContext;

/**
 * Streams of numbered exchanges, a virtual thread each, with a {@link Peer}. It says that it is
 * ready, then serves commands. Its arguments are {@code name=value}, as {@link Settings} has them.
 */
public final class Workload {
    private static final long BACK_OFF_NANOS_MAX = 50_000_000;

    /**
     * What is asked of it.
     *
     * @param folder for files
     * @param sql the data base; empty: none
     * @param timeoutMillis how long anything may wait
     * @param thinkMicros the longest pause between two exchanges
     * @param impatience one exchange in that many is given up early; 0: none
     */
    private record Settings(
            Path folder,
            String sql,
            int timeoutMillis,
            int thinkMicros,
            int impatience,
            long seed) {
        /** A stream's longest silence, whatever happens: all of its timeouts, and then some. */
        int hangMillis() {
            return 4 * timeoutMillis + 5_000;
        }

        static Settings parse(String[] arguments) {
            var values = new LinkedHashMap<String, String>();
            for (String argument : arguments) {
                String[] parts = argument.split("=", 2);
                values.put(parts[0], parts[1]);
            }
            return new Settings(
                    Path.of(values.get("folder")),
                    values.get("sql"),
                    Integer.parseInt(values.get("timeoutMillis")),
                    Integer.parseInt(values.get("thinkMicros")),
                    Integer.parseInt(values.get("impatience")),
                    Long.parseLong(values.get("seed")));
        }
    }

    private final Settings settings;
    private final SplittableRandom random;
    private final Guard guard = new Guard();
    private final Map<String, Tally> tallies = new LinkedHashMap<>();
    private final List<Stream> streams = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Set<String> violations = ConcurrentHashMap.newKeySet();
    private volatile Addresses peer = new Addresses();
    private volatile boolean running;

    private Workload(Settings settings) {
        this.settings = settings;
        random = new SplittableRandom(settings.seed);
    }

    public static void main(String[] arguments) throws Exception {
        var workload = new Workload(Settings.parse(arguments));
        workload.plan();
        Sabotage.begin();
        System.out.println("ready");
        workload.serve();
    }

    private void plan() throws IOException {
        for (int i = 0; i < 4; i++) {
            boolean direct = i % 2 == 0;
            addEcho("channel", watch -> openChannel(direct, watch), i >= 2);
        }
        for (int i = 0; i < 4; i++) {
            addEcho("socket", _ -> openSocket("socket"), false);
        }
        for (int i = 0; i < 4; i++) {
            addEcho("proxied", _ -> openSocket("proxied"), false);
        }
        for (int i = 0; i < 2; i++) {
            addEcho("tls", _ -> openTls(), false);
        }
        addHttp(ClientKind.RAW, ServerKind.JDK_VIRTUAL);
        addHttp(ClientKind.RAW, ServerKind.NETTY);
        addHttp(ClientKind.JDK_HTTP_1, ServerKind.JETTY_VIRTUAL);
        for (int i = 0; i < 2; i++) {
            add("dns", new DnsExchange(streams.size()), false);
            add("file", new FileExchange(streams.size(), settings.folder), false);
            if (!settings.sql.isEmpty()) {
                add("sql", new SqlExchange(streams.size(), settings.sql), false);
            }
        }
    }

    private void addEcho(String kind, EchoExchange.Connector connector, boolean interrupts) {
        var exchange =
                new EchoExchange(
                        streams.size(),
                        connector,
                        settings.timeoutMillis,
                        settings.impatience,
                        random.split());
        add(kind, exchange, interrupts);
    }

    private void addHttp(ClientKind client, ServerKind server) {
        var exchange =
                new HttpExchange(
                        streams.size(),
                        client,
                        () -> address(server.name()),
                        Duration.ofMillis(settings.timeoutMillis),
                        tally("http").asked);
        add("http", exchange, false);
    }

    private Tally tally(String kind) {
        return tallies.computeIfAbsent(kind, _ -> new Tally());
    }

    private void add(String kind, NumberedExchange exchange, boolean interrupts) {
        streams.add(new Stream(kind + " " + streams.size(), tally(kind), exchange, interrupts));
    }

    private InetSocketAddress address(String service) {
        return peer.get(service);
    }

    // ---- connections ----

    private Line openChannel(boolean direct, Guard.Watch watch) throws IOException {
        var channel = SocketChannel.open();
        watch.ends(channel);
        try {
            channel.connect(address("channel"));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        return Line.of(channel, direct);
    }

    private Line openSocket(String service) throws IOException {
        return connected(new Socket(), service);
    }

    private Line openTls() throws IOException {
        try {
            return connected(SSLContext.getDefault().getSocketFactory().createSocket(), "tls");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private Line connected(Socket socket, String service) throws IOException {
        try {
            socket.connect(address(service), settings.timeoutMillis);
            socket.setSoTimeout(settings.timeoutMillis);
            socket.setTcpNoDelay(true);
            return Line.of(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    // ---- streams ----

    private final class Stream implements Runnable {
        private final String name;
        private final Tally tally;
        private final NumberedExchange exchange;
        private final boolean interrupts;
        private final SplittableRandom pauses = random.split();
        private long next = 1; // one thread after the other

        Stream(String name, Tally tally, NumberedExchange exchange, boolean interrupts) {
            this.name = name;
            this.tally = tally;
            this.exchange = exchange;
            this.interrupts = interrupts;
        }

        @Override
        public void run() {
            Guard.Watch watch = guard.watch(name, interrupts);
            try {
                while (running) {
                    attempt(watch);
                }
                exchange.close();
            } catch (Violation e) {
                violations.add(e.getMessage());
            } catch (Exception | AssertionError e) {
                violations.add(name + " failed by " + e);
                e.printStackTrace();
            } finally {
                guard.forget(watch);
            }
        }

        private void attempt(Guard.Watch watch) throws Exception {
            long start = System.nanoTime();
            try {
                watch.begin(null, settings.timeoutMillis, settings.hangMillis());
                try {
                    exchange.attempt(next, watch);
                } finally {
                    watch.end();
                }
                next++;
                tally.done(System.nanoTime() - start);
                if (settings.thinkMicros > 0) {
                    LockSupport.parkNanos(pauses.nextLong(settings.thinkMicros * 1000L));
                }
            } catch (Violation e) {
                throw e;
            } catch (Exception e) {
                tally.failed(e, System.nanoTime() - start);
                closeAfter();
                LockSupport.parkNanos(pauses.nextLong(BACK_OFF_NANOS_MAX));
            }
        }

        private void closeAfter() throws Exception {
            try {
                exchange.close();
            } catch (IOException | SQLException e) {
                // it is closed all the same
            }
        }
    }

    // ---- commands ----

    private void serve() throws Exception {
        new Commands()
                .with(
                        "peer",
                        where -> {
                            peer = Addresses.parse(where);
                            return "known";
                        })
                .with("start", _ -> start())
                .with("stop", _ -> stop())
                .with("violations", _ -> Commands.line(violations, guard.hung()))
                .with("acknowledged", _ -> acknowledged())
                .with("slowestFailure", _ -> Long.toString(slowestFailureMillis()))
                .with("asked", _ -> Long.toString(tally("http").asked.sum()))
                .with("errors", _ -> errors())
                .with("interval", _ -> interval())
                .serve();
    }

    private String start() {
        running = true;
        for (Stream stream : streams) {
            threads.add(Thread.ofVirtual().name(stream.name).start(stream));
        }
        return "started";
    }

    private String stop() throws InterruptedException {
        running = false;
        long deadline = System.nanoTime() + Duration.ofMillis(settings.hangMillis()).toNanos();
        for (Thread thread : threads) {
            if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                return thread + " does not stop";
            }
        }
        threads.clear();
        return "stopped";
    }

    /** By stream: how far it is. */
    private String acknowledged() {
        var counts = new LinkedHashMap<String, Long>();
        for (Stream stream : streams) {
            counts.put(stream.name.replace(' ', '.'), stream.next - 1);
        }
        return Status.line(counts);
    }

    /** Since this was asked last. */
    private long slowestFailureMillis() {
        return tallies.values().stream().mapToLong(Tally::slowestFailureMillis).max().orElseThrow();
    }

    private String errors() {
        var all = new StringBuilder();
        tallies.forEach((kind, tally) ->
                tally.errors()
                        .forEach((error, count) ->
                                all.append(kind)
                                        .append('|')
                                        .append(error)
                                        .append('|')
                                        .append(count)
                                        .append("||")));
        return all.toString();
    }

    /** Of all kinds since the last time: how many, and how slow in microseconds. */
    private String interval() {
        var all = new Histogram(3);
        long failures = 0;
        for (Tally tally : tallies.values()) {
            all.add(tally.latencies());
            failures += tally.errors().values().stream().mapToLong(Long::longValue).sum();
        }
        var values = new LinkedHashMap<String, Long>();
        values.put("count", all.getTotalCount());
        values.put("p50", all.getValueAtPercentile(50));
        values.put("p99", all.getValueAtPercentile(99));
        values.put("p999", all.getValueAtPercentile(99.9));
        values.put("max", all.getMaxValue());
        values.put("failures", failures);
        return Status.line(values);
    }
}
