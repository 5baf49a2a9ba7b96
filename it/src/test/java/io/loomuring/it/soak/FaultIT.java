package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.it.Confinement;
import io.loomuring.it.Patience;
import io.loomuring.it.Settings;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What goes wrong around a workload whose every exchange is numbered: nothing that was acknowledged
 * is lost or doubled, nothing waits longer than its timeouts, errors are of the type that they
 * should be, all goes on afterwards, and what was taken is given back.
 */
@ExtendWith(ReliabilityTable.class)
@Timeout(120) // seconds a test; interrupts it
class FaultIT {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int AFTERWARDS = 20; // exchanges of each stream

    /** An attempt ends by the first of its waits that is too long: 2 s each. */
    private static final long FAILURE_MILLIS_MAX = 8_000;

    private static final Path FAKE_TIME =
            Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1");

    private static final String DNS = "dns: UnknownHostException";
    private static final String EOF = ".*: EOFException.*";
    private static final Set<String> NONE = Set.of();

    /**
     * What timeouts, and those who see to them, let a thread have. The end, too: the peer takes the
     * last hello for the stream's, and late ones may overtake each other.
     */
    private static final Set<String> LATE =
            Set.of(
                    EOF,
                    "channel: (AsynchronousCloseException|ClosedByInterruptException)",
                    "channel: ClosedChannelException", // closed just before an operation
                    ".*: SocketTimeoutException: (Read|Connect) timed out",
                    "http: Http(Connect)?TimeoutException: .*",
                    "sql: PSQLException 0800[16] by SocketTimeoutException",
                    DNS);

    /** What a thread has of a peer that is gone. */
    private static final Set<String> GONE =
            Set.of(
                    ".*: ConnectException(: Connection refused)?",
                    ".*: SocketException: (Connection reset( by peer)?|Broken pipe)",
                    "channel: IOException: (Connection reset by peer|Broken pipe)",
                    "http: IOException: HTTP/1.1 header parser received no bytes",
                    "http: IOException: .*(chunked transfer encoding|fixed content-length).*",
                    "http: IOException: closed", // a body's stream that failed before it was read
                    "tls: SSL(Handshake)?Exception: .*",
                    EOF,
                    DNS);

    @TempDir private static Path folder;
    private static Scene shared; // null: there is none yet, or a test has failed in it
    private static int scenes;

    /** Whether the scene is as good as new. */
    private boolean well;

    @BeforeEach
    void leaveNothingBroken() {
        well = false;
    }

    @AfterAll
    static void end() {
        if (shared != null) {
            System.out.println("ring operations: " + shared.end());
            shared.close();
        }
    }

    private static Scene.Plan plan() {
        return Scene.Plan.ofFaults(Settings.random("faults").nextLong());
    }

    private static Scene start(Scene.Plan plan) throws IOException, InterruptedException {
        Path own = Files.createDirectory(folder.resolve("scene" + ++scenes));
        return Scene.start(own, Place.of(own), plan);
    }

    /** What happens in between: returns when all could be well again. */
    private interface Happening {
        void happen(Scene scene) throws Exception;
    }

    /** In a scene that the tests share as long as none fails. */
    private void play(Set<String> allowed, Happening happening) throws Exception {
        if (shared == null) {
            shared = start(plan());
        }
        Scene scene = shared;
        try {
            play(scene, allowed, happening);
            well = true;
        } finally {
            if (!well) {
                shared = null;
                scene.close();
            }
        }
    }

    /** In a scene of its own. */
    private static void playAlone(Scene.Plan plan, Set<String> allowed, Happening happening)
            throws Exception {
        try (Scene scene = start(plan)) {
            play(scene, allowed, happening);
            System.out.println("ring operations: " + scene.end());
        }
    }

    private static void play(Scene scene, Set<String> allowed, Happening happening)
            throws Exception {
        scene.begin();
        scene.awaitProgress(AFTERWARDS);
        Map<String, Long> before = scene.acknowledged();
        long start = System.nanoTime();
        happening.happen(scene);
        scene.awaitProgress(AFTERWARDS);
        double seconds = (System.nanoTime() - start) / 1e9;
        Map<String, Long> errors = scene.errors();
        scene.stop();
        long done =
                scene.acknowledged().values().stream().mapToLong(Long::longValue).sum()
                        - before.values().stream().mapToLong(Long::longValue).sum();
        long slowest = scene.slowestFailureMillis();
        errors.forEach((error, count) -> System.out.println("  " + count + " " + error));
        ReliabilityTable.seen(
                "%,d exchanges in %.1f s; %s".formatted(done, seconds, describe(errors, slowest)));
        scene.checkAllIsWell();
        var kinds = new TreeSet<>(errors.keySet());
        kinds.removeIf(error -> allowed.stream().anyMatch(error::matches));
        assertThat(kinds).as("errors of another type").isEmpty();
        assertThat(slowest).as("milliseconds").isLessThan(FAILURE_MILLIS_MAX);
    }

    private static String describe(Map<String, Long> errors, long slowestMillis) {
        var byError = new TreeMap<String, Long>();
        errors.forEach((error, count) ->
                byError.merge(error.replaceFirst("^\\w+: ", ""), count, Long::sum));
        return byError.isEmpty()
                ? "no errors"
                : byError.entrySet().stream()
                        .map(error -> error.getValue() + " `" + error.getKey() + "`")
                        .collect(
                                Collectors.joining(
                                        ", ",
                                        "",
                                        ", the slowest after %.1f s"
                                                .formatted(slowestMillis / 1e3)));
    }

    /** Something that begins a fault. */
    private interface Beginning {
        void begin() throws Exception;
    }

    /** Lets a fault begin and last: its length is what the test is about. */
    private static void during(long millis, Beginning beginning) throws Exception {
        beginning.begin();
        Thread.sleep(millis);
    }

    // ---- this process ----

    @Test
    @Fault(value = "nothing", promised = "no error")
    void nothing() throws Exception {
        play(NONE, scene -> scene.awaitProgress(100));
    }

    @Test
    @Fault(
            value = "our process stopped, 3 times 0.5 s (SIGSTOP, SIGCONT)",
            promised = "goes on; timeouts that ran out meanwhile, at most")
    void ourProcessStopped() throws Exception {
        play(
                LATE,
                scene -> {
                    for (int i = 0; i < 3; i++) {
                        during(500, () -> scene.workload().signal("STOP"));
                        scene.workload().signal("CONT");
                        scene.awaitProgress(5);
                    }
                });
    }

    @Test
    @Fault(
            value = "no descriptor left for 2 s (EMFILE)",
            promised = "`SocketException: Too many open files` for who opens; others don't notice")
    void noDescriptorLeft() throws Exception {
        play(
                Set.of("(channel|socket|proxied|tls): SocketException: Too many open files", DNS),
                scene -> {
                    during(2_000, () -> limitDescriptors(scene, 20));
                    scene.awaitError("(channel|socket|tls): SocketException: Too many open files");
                    limitDescriptors(scene, 10_000);
                });
    }

    private static void limitDescriptors(Scene scene, int limit) throws Exception {
        String pid = Long.toString(scene.workload().pid());
        scene.place().run(List.of("prlimit", "--pid", pid, "--nofile=" + limit + ":"));
    }

    @Test
    @Fault(
            value = "disk full for 2 s, under a log and a file on the rings (ENOSPC)",
            promised = "`IOException: No space left on device`; the file keeps what was written")
    void diskFull() throws Exception {
        Place.assumeOwn();
        play(
                Set.of("file: IOException: No space left on device"),
                scene -> {
                    String fill = scene.place().files().resolve("fill").toString();
                    during(
                            2_000,
                            () ->
                                    scene.place()
                                            .run(
                                                    List.of(
                                                            "sh",
                                                            "-c",
                                                            "cat /dev/zero >$0; true",
                                                            fill)));
                    scene.awaitError("file: IOException: No space left on device");
                    scene.place().run(List.of("rm", fill));
                });
    }

    @Test
    @Fault(
            value = "the clock jumps by an hour, forth and back (libfaketime)",
            promised = "no error, and no wait that is shorter or longer for it")
    void clockJumps() throws Exception {
        assumeTrue(Files.exists(FAKE_TIME), FAKE_TIME + " is missing (Debian: libfaketime)");
        Path clock = Files.writeString(folder.resolve("clock"), "+0");
        var faked =
                new Confinement(
                        "clock",
                        List.of(
                                "env",
                                "LD_PRELOAD=" + FAKE_TIME,
                                "FAKETIME_TIMESTAMP_FILE=" + clock,
                                "FAKETIME_NO_CACHE=1",
                                "DONT_FAKE_MONOTONIC=1",
                                "FAKETIME_FORCE_MONOTONIC_FIX=0")); // else it breaks waiting
        playAlone(
                plan().with(faked),
                NONE,
                scene -> {
                    for (int hours : new int[] {1, 0, -1, 0}) {
                        Files.writeString(clock, "%+dh".formatted(hours));
                        Patience.await(
                                () -> "the clock does not jump",
                                LIMIT,
                                () -> Math.abs(scene.clockMillis() - hoursFromNow(hours)) < 60_000);
                        scene.awaitProgress(20);
                    }
                });
    }

    private static long hoursFromNow(int hours) {
        return System.currentTimeMillis() + Duration.ofHours(hours).toMillis();
    }

    // ---- the peer ----

    @Test
    @Fault(
            value = "peer killed (SIGKILL), restarted after 1 s",
            promised = "reset or end at once, then refused; as soon as it is back, on")
    void peerKilled() throws Exception {
        play(
                GONE,
                scene -> {
                    during(1_000, scene::killPeer);
                    scene.awaitError("channel: ConnectException: Connection refused");
                    scene.awaitError("socket: ConnectException: Connection refused");
                    scene.awaitError("tls: ConnectException: Connection refused");
                    scene.awaitError(DNS);
                    scene.restartPeer();
                });
    }

    @Test
    @Fault(
            value = "peer killed by the kernel, out of its control group's memory",
            promised = "as if killed otherwise")
    void peerOutOfMemory() throws Exception {
        try (var group = MemoryGroup.of(48 << 20)) {
            play(
                    GONE,
                    scene -> {
                        group.add(scene.peer().pid());
                        scene.peer().tell("eat");
                        assertThat(scene.peer().awaitExit()).isEqualTo(128 + 9);
                        assertThat(group.kills()).isPositive();
                        scene.awaitError("socket: ConnectException: Connection refused");
                        scene.restartPeer();
                    });
        }
    }

    @Test
    @Fault(
            value = "peer paused for 5 s (SIGSTOP, SIGCONT)",
            promised =
                    "timeouts; close and interrupt get channels out, which have none; nothing is"
                            + " taken twice when it goes on")
    void peerPaused() throws Exception {
        play(
                LATE,
                scene -> {
                    during(5_000, () -> scene.peer().signal("STOP"));
                    scene.awaitError("channel: AsynchronousCloseException");
                    scene.awaitError("channel: ClosedByInterruptException");
                    scene.awaitError("(socket|proxied): SocketTimeoutException: Read timed out");
                    scene.awaitError("tls: SocketTimeoutException: Read timed out");
                    scene.awaitError("http: SocketTimeoutException: Read timed out");
                    scene.awaitError("http: Http.*TimeoutException.*");
                    scene.awaitError(DNS);
                    scene.peer().signal("CONT");
                });
    }

    @Test
    @Fault(value = "slow peer: 50 ms later each way, for 2 s", promised = "slow, no error")
    void peerSlow() throws Exception {
        play(
                NONE,
                scene -> {
                    during(2_000, () -> scene.tellPeer("delay 50"));
                    scene.tellPeer("delay 0");
                });
    }

    @Test
    @Fault(
            value = "PostgreSQL's serving processes killed, amid transactions",
            promised = "`PSQLException`; what was committed is there once, the rest not")
    void dataBaseKilled() throws Exception {
        assumeTrue(Postgres.isThere(), "PostgreSQL is not installed");
        play(
                Set.of("sql: PSQLException (08006|08001|57P0[123]).*"),
                scene -> {
                    Patience.await(
                            () -> "nobody to kill",
                            LIMIT,
                            () -> scene.postgres().killBackends() > 0);
                    scene.awaitError("sql: PSQLException .*");
                });
    }

    @Test
    @Fault(
            value = "name server silent for 3 s, then gone (port unreachable)",
            promised = "`UnknownHostException` within the timeouts of resolv.conf")
    void nameServerGone() throws Exception {
        play(
                Set.of(DNS),
                scene -> {
                    during(3_000, () -> scene.tellPeer("dns silent"));
                    scene.awaitError(DNS);
                    during(1_000, () -> scene.tellPeer("dns gone"));
                    scene.tellPeer("dns back");
                });
    }

    // ---- what is between ----

    @Test
    @Fault(
            value = "connections reset, 10 times in a second (RST)",
            promised = "`SocketException: Connection reset`")
    void connectionsReset() throws Exception {
        play(
                Set.of("proxied: SocketException: (Connection reset( by peer)?|Broken pipe)", EOF),
                scene -> {
                    for (int i = 0; i < 10; i++) {
                        during(100, () -> scene.tellPeer("reset"));
                    }
                    scene.awaitError("proxied: SocketException: Connection reset");
                });
    }

    @Test
    @Fault(
            value = "a firewall answers by resets, 1 s",
            promised = "reset connections, refused new ones")
    void rejected() throws Exception {
        Place.assumeNetwork();
        play(
                GONE,
                scene -> {
                    for (String service : List.of("channel", "socket", "tls")) {
                        scene.place()
                                .iptables(
                                        "-A",
                                        "INPUT",
                                        "-p",
                                        "tcp",
                                        "--dport",
                                        Integer.toString(scene.port(service)),
                                        "-j",
                                        "REJECT",
                                        "--reject-with",
                                        "tcp-reset");
                    }
                    during(1_000, () -> {});
                    for (String service : List.of("channel", "socket", "tls")) {
                        // who writes when the reset has come may be told so by another name
                        scene.awaitError(service + ": .*(Connection reset|Broken pipe).*");
                        scene.awaitError(service + ": ConnectException: Connection refused");
                    }
                    scene.place().iptables("-F");
                });
    }

    @Test
    @Fault(
            value = "half-open connections: the other side hears and says nothing, 3 s",
            promised = "`SocketTimeoutException`")
    void halfOpen() throws Exception {
        play(
                Set.of(
                        "proxied: SocketTimeoutException: Read timed out",
                        "proxied: SocketException: (Connection reset( by peer)?|Broken pipe)",
                        EOF),
                scene -> {
                    during(3_000, () -> scene.tellPeer("mute true"));
                    scene.awaitError("proxied: SocketTimeoutException: Read timed out");
                    scene.tellPeer("mute false");
                });
    }

    @Test
    @Fault(value = "20 % of all packets lost, for 4 s", promised = "slower; timeouts at most")
    void packetsLost() throws Exception {
        Place.assumeNetwork();
        play(
                LATE,
                scene -> {
                    scene.place()
                            .iptables(
                                    "-A",
                                    "INPUT",
                                    "-m",
                                    "statistic",
                                    "--mode",
                                    "random",
                                    "--probability",
                                    "0.2",
                                    "-j",
                                    "DROP");
                    during(4_000, () -> {});
                    scene.place().iptables("-F");
                });
    }

    @Test
    @Fault(
            value = "network cut for 5 s (DROP), restored",
            promised = "timeouts of reads and connects; nothing is taken twice afterwards")
    void networkCut() throws Exception {
        Place.assumeNetwork();
        play(
                LATE,
                scene -> {
                    scene.place().iptables("-A", "INPUT", "-j", "DROP");
                    during(5_000, () -> {});
                    scene.awaitError("channel: AsynchronousCloseException");
                    scene.awaitError("channel: ClosedByInterruptException");
                    scene.awaitError("socket: SocketTimeoutException: Read timed out");
                    scene.awaitError("socket: SocketTimeoutException: Connect timed out");
                    scene.awaitError("tls: SocketTimeoutException: Connect timed out");
                    scene.awaitError(DNS);
                    scene.place().iptables("-F");
                });
    }
}
