package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.Child;
import io.loomuring.it.Confinement;
import io.loomuring.it.Patience;
import io.loomuring.it.web.Tls;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;

/**
 * A {@link Workload} and its {@link Peer}, each a JVM under the agent with two carriers, and
 * PostgreSQL where it is installed.
 */
final class Scene implements AutoCloseable {
    /**
     * How it is.
     *
     * @param timeoutMillis how long anything of the workload may wait
     * @param thinkMicros the longest pause between two exchanges
     * @param impatience one exchange in that many is given up early; 0: none
     * @param options more ones of the workload's JVM
     * @param around what is around the workload, besides the place
     * @param sql whether with PostgreSQL where it is installed
     */
    record Plan(
            int timeoutMillis,
            int thinkMicros,
            int impatience,
            long seed,
            List<String> options,
            Confinement around,
            boolean sql) {
        static final Confinement NOTHING = new Confinement("nothing", List.of());

        static Plan ofFaults(long seed) {
            return new Plan(2_000, 2_000, 0, seed, List.of(), NOTHING, true);
        }

        Plan with(Confinement other) {
            return new Plan(timeoutMillis, thinkMicros, impatience, seed, options, other, sql);
        }
    }

    private static final Duration PROGRESS_WAIT = Duration.ofSeconds(20);
    private static final Duration RETURN_WAIT = Duration.ofSeconds(20);
    private static final int WARM_UP_EXCHANGES = 30;
    private static final int POOLED_BUFFERS = 64;
    private static final int SETTLE_LOOKS = 10;
    private static final long ASK_NANOS = 20_000_000;

    private final Path folder;
    private final Place place;
    private final Postgres postgres; // null: there is none
    private final Child workload;
    private Child peer;
    private Addresses addresses;
    private Map<String, Long> workloadBefore;
    private Map<String, Long> peerBefore;
    private Map<String, Long> errorsBefore;

    private Scene(Path folder, Place place, Plan plan) throws IOException, InterruptedException {
        this.folder = folder;
        this.place = place;
        int sqlPort = freePort();
        var sql = new FutureTask<>(() -> Postgres.start(sqlPort, place.confinement()));
        if (plan.sql && Postgres.isThere()) {
            Thread.ofPlatform().start(sql); // it takes as long as all the rest
        } else {
            sql.cancel(false);
        }
        Tls.write(folder.resolve("store.p12"));
        addresses = new Addresses();
        addresses.put("dns", freePort());
        peer = startPeer();
        Path resolvConf =
                Files.writeString(
                        folder.resolve("resolv.conf"),
                        "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n");
        Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.1 localhost\n");
        var options =
                options(
                        "-Dloomuring.dns.resolvConf=" + resolvConf,
                        "-Dloomuring.dns.hosts=" + hosts,
                        "-Dloomuring.dns.port=" + addresses.get("dns").getPort(),
                        "-Dsun.net.inetaddr.ttl=0",
                        "-Dsun.net.inetaddr.negative.ttl=0");
        options.addAll(0, plan.options);
        workload =
                Child.confined(
                        place.confinement().then(plan.around),
                        options,
                        Workload.class.getName(),
                        "folder=" + place.files(),
                        "sql="
                                + (sql.isCancelled()
                                        ? ""
                                        : Postgres.url(sqlPort, plan.timeoutMillis)),
                        "timeoutMillis=" + plan.timeoutMillis,
                        "thinkMicros=" + plan.thinkMicros,
                        "impatience=" + plan.impatience,
                        "seed=" + plan.seed);
        postgres = sql.isCancelled() ? null : result(sql);
        addresses = Addresses.parse(peer.nextLine());
        assertThat(workload.nextLine()).isEqualTo("ready");
        ask(workload, "peer " + addresses);
    }

    private static Postgres result(FutureTask<Postgres> start)
            throws IOException, InterruptedException {
        try {
            return start.get();
        } catch (ExecutionException e) {
            throw new IOException(e);
        }
    }

    /** Starts one whose every stream has worked. */
    static Scene start(Path folder, Place place, Plan plan)
            throws IOException, InterruptedException {
        var scene = new Scene(folder, place, plan);
        try {
            scene.begin();
            scene.awaitProgress(WARM_UP_EXCHANGES);
            scene.stop();
            scene.workloadBefore = settledCounts(scene.workload);
            scene.peerBefore = settledCounts(scene.peer);
            return scene;
        } catch (RuntimeException | Error e) {
            scene.close();
            throw e;
        }
    }

    private List<String> options(String... more) {
        List<String> options =
                Child.agent(
                        "-Dloomuring.carriers=2",
                        "-Dloomuring.tls=default",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djavax.net.ssl.keyStore=" + folder.resolve("store.p12"),
                        "-Djavax.net.ssl.keyStorePassword=" + Tls.PASSWORD,
                        "-Djavax.net.ssl.trustStore=" + folder.resolve("store.p12"),
                        "-Djavax.net.ssl.trustStorePassword=" + Tls.PASSWORD,
                        "-XX:+UseSerialGC",
                        "-Xms96m",
                        "-Xmx96m",
                        "-XX:+AlwaysPreTouch");
        options.addAll(List.of(more));
        options.addAll(
                List.of(
                        "-cp",
                        System.getProperty("dnsj.jar")
                                + ":"
                                + System.getProperty("conscrypt-ktls.jar")
                                + ":"
                                + System.getProperty("java.class.path")));
        return options;
    }

    private Child startPeer() {
        return Child.confined(
                place.confinement(),
                options(),
                Peer.class.getName(),
                folder.resolve("ledger").toString(),
                addresses.toString());
    }

    /** A port that nobody has, of streams or of datagrams. */
    private static int freePort() throws IOException {
        try (var streams = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var datagrams =
                        new DatagramSocket(
                                streams.getLocalPort(), InetAddress.getLoopbackAddress())) {
            return datagrams.getLocalPort();
        }
    }

    private static String ask(Child child, String command) {
        child.tell(command);
        return child.nextLine();
    }

    // ---- what a test does with it ----

    Child workload() {
        return workload;
    }

    Child peer() {
        return peer;
    }

    Place place() {
        return place;
    }

    /** Null where it is not installed. */
    Postgres postgres() {
        return postgres;
    }

    String tellPeer(String command) {
        return ask(peer, command);
    }

    /** Starts all streams. */
    void begin() {
        errorsBefore = allErrors();
        slowestFailureMillis();
        assertThat(ask(workload, "start")).isEqualTo("started");
    }

    /** Stops them; each ends what it is at. */
    void stop() {
        assertThat(ask(workload, "stop")).isEqualTo("stopped");
    }

    /** Waits until each stream has that many more numbers acknowledged. */
    void awaitProgress(int exchanges) {
        Map<String, Long> before = acknowledged();
        Patience.await(
                () -> "from " + before + " to " + acknowledged() + " only; " + complaints(),
                PROGRESS_WAIT,
                () ->
                        rarely(acknowledged()).entrySet().stream()
                                .allMatch(stream ->
                                        stream.getValue()
                                                >= before.get(stream.getKey()) + exchanges));
    }

    /** Who asks again and again leaves the processors to those who are asked. */
    private static <T> T rarely(T answer) {
        LockSupport.parkNanos(ASK_NANOS);
        return answer;
    }

    /** By stream. */
    Map<String, Long> acknowledged() {
        return Status.parse(ask(workload, "acknowledged"));
    }

    /** Since the streams were started: {@code kind: error} to how often. */
    Map<String, Long> errors() {
        Map<String, Long> errors = allErrors();
        errorsBefore.forEach((error, count) -> errors.merge(error, -count, Long::sum));
        errors.values().removeIf(count -> count == 0);
        return errors;
    }

    /** Waits until a stream has met that error since the start. */
    void awaitError(String pattern) {
        Patience.await(
                () -> "no " + pattern + " in " + errors() + "; " + ask(workload, "violations"),
                PROGRESS_WAIT,
                () -> rarely(errors()).keySet().stream().anyMatch(error -> error.matches(pattern)));
    }

    /** The longest that an attempt took which failed, since the streams were started. */
    long slowestFailureMillis() {
        return Long.parseLong(ask(workload, "slowestFailure"));
    }

    private Map<String, Long> allErrors() {
        var errors = new TreeMap<String, Long>();
        for (String error : ask(workload, "errors").split("\\|\\|", -1)) {
            if (!error.isEmpty()) {
                String[] parts = error.split("\\|", -1);
                errors.put(parts[0] + ": " + parts[1], Long.parseLong(parts[2]));
            }
        }
        return errors;
    }

    /** What the workload takes for the time. */
    long clockMillis() {
        return Long.parseLong(ask(workload, "clock"));
    }

    Map<String, Long> interval() {
        return Status.parse(ask(workload, "interval"));
    }

    /** Of the workload, and of the peer. */
    List<Map<String, Long>> amounts() {
        return List.of(Status.parse(ask(workload, "amounts")), Status.parse(ask(peer, "amounts")));
    }

    /** The port of one of the peer's services. */
    int port(String service) {
        return addresses.get(service).getPort();
    }

    /** Ends the peer at once, as the kernel does. */
    void killPeer() {
        peer.close();
    }

    /** Another peer at the same addresses, with the same ledger. */
    void restartPeer() {
        peer = startPeer();
        addresses = Addresses.parse(peer.nextLine());
        ask(workload, "peer " + addresses);
        peerBefore = null; // a new one's are known once it has served
    }

    // ---- what must hold ----

    /** What the two noticed that no fault excuses. */
    String complaints() {
        return ask(workload, "violations") + ask(peer, "violations");
    }

    /** After a stop: nothing is lost, doubled or late, and all that was taken is given back. */
    void checkAllIsWell() throws InterruptedException {
        assertThat(complaints()).isEmpty();
        long done =
                acknowledged().entrySet().stream()
                        .filter(stream -> stream.getKey().startsWith("http"))
                        .mapToLong(Map.Entry::getValue)
                        .sum();
        long come = Long.parseLong(ask(peer, "requests"));
        long asked = Long.parseLong(ask(workload, "asked"));
        assertThat(come).as("requests that came").isBetween(done, asked);
        checkReturned("workload", workload, workloadBefore);
        if (peerBefore == null) {
            peerBefore = settledCounts(peer);
        } else {
            checkReturned("peer", peer, peerBefore);
        }
        for (Child child : List.of(workload, peer)) {
            assertThat(Status.parse(ask(child, "counters"))).containsEntry("staleCompletions", 0L);
            assertThat(child.errorLines()).noneMatch(line -> line.contains("internal error"));
        }
    }

    private static void checkReturned(String name, Child child, Map<String, Long> before) {
        var last = new LinkedHashMap<String, Long>();
        try {
            Patience.await(
                    () -> name + " holds " + last + ", before: " + before,
                    RETURN_WAIT,
                    () -> {
                        last.putAll(rarely(Status.parse(ask(child, "counts"))));
                        return last.entrySet().stream()
                                .allMatch(now ->
                                        now.getValue()
                                                <= before.get(now.getKey()) + slack(now.getKey()));
                    });
        } catch (AssertionError e) {
            ask(child, "details");
            throw new AssertionError(
                    e.getMessage().lines().findFirst().orElse("") + "\n" + child, e);
        }
    }

    /** Pools of direct buffers, of TLS and of servers, keep as many as were in use at once. */
    private static int slack(String count) {
        return count.equals(Status.DIRECT_BUFFERS) ? POOLED_BUFFERS : 0;
    }

    /** Its counts once they don't get less any more. */
    private static Map<String, Long> settledCounts(Child child) throws InterruptedException {
        Map<String, Long> least = Status.parse(ask(child, "counts"));
        for (int i = 0; i < SETTLE_LOOKS; i++) {
            Thread.sleep(100); // idle connections end, and pools' threads
            Status.parse(ask(child, "counts"))
                    .forEach((name, count) -> least.merge(name, count, Math::min));
        }
        return least;
    }

    /** Ends both in order; how many ring operations each says it made. */
    List<Long> end() {
        var operations = new ArrayList<Long>();
        for (Child child : List.of(workload, peer)) {
            assertThat(child.end()).as("%s", child).isZero();
            operations.add(child.ringOperations());
            assertThat(child.ringOperations()).isPositive();
        }
        return operations;
    }

    @Override
    public void close() {
        workload.close();
        peer.close();
        if (postgres != null) {
            postgres.close();
        }
        place.close();
    }
}
