package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Ulimit;

import io.loomuring.it.containers.program.EchoServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.testcontainers.containers.Network;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** An echo server where container engines let it have little, and what it says where that fails. */
@ExtendWith(Engine.class)
class LimitsIT {
    private static final int UID = 1000;
    private static final int CONNECTIONS = 50;
    private static final int MESSAGES = 40;

    private static final long MEMORY_BYTES = 256L << 20;
    private static final int MANY_CONNECTIONS = 1000;

    private static final long PIDS_MAX = 60;
    private static final int MORE_CARRIERS_THAN_PIDS = 64;

    private static final int FILES_MAX = 256;
    private static final int MORE_CONNECTIONS_THAN_FILES = 400;
    private static final Duration FULL_WAIT = Duration.ofSeconds(30);

    private static final long MEMLOCK_BYTES = 64 << 10;
    private static final int ENTRIES = 256;

    private static Network network;

    @BeforeAll
    static void makeNetwork() {
        network = Networks.create();
    }

    @AfterAll
    static void removeNetwork() {
        network.close();
    }

    /** As docs/containers.md recommends; nothing can be written to, /tmp neither. */
    private static LocalContainer hardened(LocalContainer container) {
        return container
                .user(UID)
                .securityOption("no-new-privileges", "true")
                .host(host ->
                        host.withCapDrop(Capability.ALL)
                                .withReadonlyRootfs(true)
                                .withMemory(MEMORY_BYTES)
                                .withNanoCPUs(2_000_000_000L)
                                .withPidsLimit(PIDS_MAX));
    }

    private static LocalContainer server(String... options) {
        return Jvm.onRings(List.of(options), EchoServer.class);
    }

    @Test
    void runsAsAnotherUserWithoutCapabilitiesOrNewPrivilegesOrAnythingToWriteTo() {
        try (var server = hardened(server())) {
            start(server);
            assertThat(server.run("cat", "/proc/1/status"))
                    .containsPattern("Uid:\\s+1000\\s+1000\\s+1000\\s+1000")
                    .containsPattern("CapBnd:\\s+0000000000000000")
                    .containsPattern("NoNewPrivs:\\s+1")
                    .containsPattern("Seccomp:\\s+2");
            assertThat(server.run("sh", "-c", "touch /tmp/x 2>&1 || true"))
                    .contains("Read-only file system");
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
        }
    }

    @Test
    void servesManyConnectionsIn256MebibytesOfMemory() {
        try (var server =
                server().host(host -> host.withMemory(MEMORY_BYTES).withMemorySwap(MEMORY_BYTES))) {
            start(server);
            EchoTraffic.check(network, "server", MANY_CONNECTIONS, 2);
            var state = server.getCurrentContainerInfo().getState();
            assertThat(state.getOOMKilled()).isFalse();
            System.out.println(server.run("grep", "-E", "VmRSS|VmHWM", "/proc/1/status"));
            server.endOnRings();
        }
    }

    @ParameterizedTest
    @CsvSource({"0.5, 1", "1, 1", "2, 2"})
    void hasAsManyCarriersAsProcessorsAreGranted(double processors, int carriers) {
        try (var server =
                server().host(host -> host.withNanoCPUs((long) (processors * 1_000_000_000L)))) {
            start(server);
            assertThat(server.awaitValue("processors")).isEqualTo("" + carriers);
            assertThat(server.awaitValue("parallelism")).isEqualTo("" + carriers);
            assertThat(server.run("/jdk/bin/jcmd", "1", "Thread.vthread_scheduler"))
                    .contains("parallelism = " + carriers + ",");
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
        }
    }

    @Test
    void needsFewThreads() {
        try (var server = server().host(host -> host.withPidsLimit(PIDS_MAX))) {
            start(server);
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
        }
    }

    /** All or nothing: those that have started are ended, and leave room for the JDK's own. */
    @Test
    void saysThatTheThreadsAreTooFewAndRunsOnTheJdk() {
        try (var server =
                Jvm.withAgent(
                                List.of("-Dloomuring.carriers=" + MORE_CARRIERS_THAN_PIDS),
                                EchoServer.class)
                        .seccomp(Seccomp.shipped())
                        .host(host -> host.withPidsLimit(PIDS_MAX))) {
            start(server);
            assertThat(server.awaitValue("carrier")).startsWith("ForkJoinPool-");
            assertThat(server.errorLines())
                    .filteredOn(line -> line.startsWith("loom-uring: "))
                    .singleElement()
                    .asString()
                    .startsWith("loom-uring: not active: carriers can't be started")
                    .contains("raise the limits of threads", "pids.max");
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
        }
    }

    /** Every process of the user shares the limit: nobody else is this one. */
    private static Consumer<HostConfig> memlock(long bytes) {
        return host -> host.withUlimits(List.of(new Ulimit("memlock", bytes, bytes)));
    }

    @Test
    void hasSmallerRingsWhereLittleMemoryMayBeLocked() {
        try (var server =
                server("-Dloomuring.entries=" + ENTRIES, "-Dloomuring.carriers=2")
                        .user(UID + 1)
                        .host(memlock(MEMLOCK_BYTES))) {
            start(server);
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
            String line = server.awaitOutput("loom-uring: ring entries: ");
            System.out.println(line + " of " + ENTRIES);
            assertThat(Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))
                    .isBetween(8, ENTRIES); // older kernels don't count rings as locked
        }
    }

    @Test
    void theDoctorTellsThatLittleMemoryMayBeLocked() {
        try (var doctor =
                Jvm.doctor("-Dloomuring.carriers=2", "-Dloomuring.entries=32768")
                        .seccomp(Seccomp.shipped())
                        .user(UID + 2)
                        .host(memlock(MEMLOCK_BYTES))) {
            doctor.start();
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(doctor.outputLines())
                    .anyMatch(line -> line.matches("ok +locked memory +65536 bytes.*"))
                    .anyMatch(line ->
                            line.matches(
                                    "limited +ring entries +[0-9]+, since 32768 did not fit"
                                            + " in the locked memory"));
        }
    }

    @Test
    void saysWhatToDoWhereNoMemoryMayBeLocked() {
        try (var server = server().user(UID + 3).host(memlock(0))) {
            server.start();
            assertThat(server.awaitExit()).as("%s", server).isEqualTo(1);
            assertThat(server.errorLines())
                    .filteredOn(line -> line.contains("loom-uring: required, but "))
                    .singleElement()
                    .asString()
                    .contains(
                            "Cannot allocate memory",
                            "raise the limit of locked memory, now 0 bytes",
                            "--ulimit memlock=-1");
        }
    }

    @Test
    void acceptsAgainOnceConnectionsAreClosedWhenItHadNoDescriptorLeft() {
        try (var server =
                        Jvm.onRings(List.of(), EchoServer.class, "patient")
                                .host(host ->
                                        host.withUlimits(
                                                List.of(
                                                        new Ulimit(
                                                                "nofile",
                                                                (long) FILES_MAX,
                                                                (long) FILES_MAX)))); //
                var clients =
                        EchoTraffic.client(
                                network, "server", MORE_CONNECTIONS_THAN_FILES, 2, "hold")) {
            start(server);
            clients.start();
            clients.awaitOutput("connected=" + MORE_CONNECTIONS_THAN_FILES, FULL_WAIT);
            server.awaitOutput("Too many open files", FULL_WAIT);
            clients.end();
            assertThat(clients.outputLines())
                    .contains("answers=" + 2 * MORE_CONNECTIONS_THAN_FILES);
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
            assertThat(server.errorLines())
                    .allMatch(
                            line -> line.startsWith("accept: ") || line.startsWith("loom-uring: "));
        }
    }

    private static void start(LocalContainer server) {
        server.withNetwork(network).withNetworkAliases("server").start();
        server.awaitValue("port");
    }
}
