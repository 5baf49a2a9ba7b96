package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.it.program.EchoServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An echo server where containers put it: filtered, unprivileged, short of memory and the like. */
class ContainerWaysIT {
    private static final int UID = 1000;
    private static final int CONNECTIONS = 20;
    private static final int TIMEOUT_MILLIS = 20_000;
    private static final Duration FULL_WAIT = Duration.ofSeconds(30);

    private static final int FILES_MAX = 256;
    private static final int MORE_CONNECTIONS_THAN_FILES = 400;

    private static final int ENTRIES = 256;

    @TempDir private Path folder;

    @Test
    void runsUnderASeccompFilterThatAllowsTheRings() throws IOException {
        try (Child server =
                Child.confined(Confinement.seccomp(0), Child.agent(), EchoServer.class)) {
            echo(server);
            finish(server);
        }
    }

    @Test
    void runsAsAnotherUserWithLittleLockedMemory() throws IOException {
        var confinement = Confinement.user(UID).then(Confinement.limits("memlock=65536"));
        var options = agentOfCopies("-Dloomuring.carriers=2", "-Dloomuring.entries=" + ENTRIES);
        try (Child server = Child.confined(confinement, options)) {
            echo(server);
            finish(server);
            String prefix = "loom-uring: ring entries: ";
            int entries =
                    server.errorLines().stream()
                            .filter(line -> line.startsWith(prefix))
                            .mapToInt(line -> Integer.parseInt(line.substring(prefix.length())))
                            .findFirst()
                            .orElseThrow();
            System.out.println("ring entries: " + entries + " of " + ENTRIES);
            assertThat(entries).isBetween(8, ENTRIES); // older kernels don't count rings as locked
        }
    }

    /** Everything where that user can read it. */
    private List<String> agentOfCopies(String... more) throws IOException {
        Path jar = Confinement.readableCopy(Path.of(Child.jar()), folder);
        Path classes = Confinement.readableCopy(Path.of(Child.testClasses()), folder);
        var options = new ArrayList<>(Child.agent(more));
        options.replaceAll(
                option -> option.startsWith("-javaagent:") ? "-javaagent:" + jar : option);
        options.addAll(
                List.of("-cp", classes + File.pathSeparator + jar, EchoServer.class.getName()));
        return options;
    }

    @Test
    void acceptsAgainOnceConnectionsAreClosedWhenItHadNoDescriptorLeft() throws IOException {
        try (Child server =
                Child.confined(
                        Confinement.limits("nofile=" + FILES_MAX),
                        Child.agent(),
                        EchoServer.class,
                        "patient")) {
            int port = Integer.parseInt(server.nextLine());
            var clients = new ArrayList<Socket>();
            try {
                for (int i = 0; i < MORE_CONNECTIONS_THAN_FILES; i++) {
                    clients.add(connect(port)); // the kernel does; the server accepts when it can
                    send(clients.getLast(), i);
                }
                Patience.await(
                        () -> "it never ran out of descriptors: " + server,
                        FULL_WAIT,
                        () ->
                                server.errorLines().stream()
                                        .anyMatch(line -> line.contains("Too many open files")));
                for (int i = 0; i < MORE_CONNECTIONS_THAN_FILES; i++) {
                    try (Socket client = clients.get(i)) {
                        assertThat(receive(client)).isEqualTo(i);
                    }
                }
                echo(port);
            } finally {
                for (Socket client : clients) {
                    client.close();
                }
            }
            assertThat(server.errorLines()).allMatch(line -> line.startsWith("accept: "));
            finish(server);
        }
    }

    @Test
    void hasOneCarrierWhereLessThanOneProcessorIsGranted()
            throws IOException, InterruptedException {
        Path group = halfAProcessor();
        try {
            try (Child server =
                    Child.confined(Confinement.group(group), Child.agent(), EchoServer.class)) {
                echo(server);
                assertThat(server.scheduler()).contains("[Running, parallelism = 1, ");
                finish(server);
            }
        } finally {
            Patience.await(() -> group + " stays", FULL_WAIT, () -> group.toFile().delete());
        }
    }

    /** A new control group; version 2 of them, or 1. */
    private static Path halfAProcessor() {
        String name = "loom-uring-it-" + ProcessHandle.current().pid();
        for (Path root : List.of(Path.of("/sys/fs/cgroup/cpu"), Path.of("/sys/fs/cgroup"))) {
            Path group = root.resolve(name);
            try {
                Files.createDirectory(group);
            } catch (IOException e) {
                continue;
            }
            try {
                if (Files.exists(group.resolve("cpu.max"))) {
                    Files.writeString(group.resolve("cpu.max"), "50000 100000");
                    return group;
                }
                if (Files.exists(group.resolve("cpu.cfs_quota_us"))) {
                    Files.writeString(group.resolve("cpu.cfs_period_us"), "100000");
                    Files.writeString(group.resolve("cpu.cfs_quota_us"), "50000");
                    return group;
                }
                Files.delete(group);
            } catch (IOException e) {
                group.toFile().delete();
            }
        }
        assumeTrue(false, "no control group with a CPU quota can be made here");
        throw new AssertionError();
    }

    // ---- the echo ----

    private static void echo(Child server) throws IOException {
        echo(Integer.parseInt(server.nextLine()));
    }

    private static void echo(int port) throws IOException {
        for (int i = 0; i < CONNECTIONS; i++) {
            try (Socket client = connect(port)) {
                send(client, i);
                assertThat(receive(client)).isEqualTo(i);
            }
        }
    }

    private static Socket connect(int port) throws IOException {
        var client = new Socket(InetAddress.ofLiteral("127.0.0.1"), port);
        client.setSoTimeout(TIMEOUT_MILLIS);
        return client;
    }

    private static void send(Socket client, int number) throws IOException {
        new DataOutputStream(client.getOutputStream()).writeInt(number);
    }

    private static int receive(Socket client) throws IOException {
        return new DataInputStream(client.getInputStream()).readInt();
    }

    private static void finish(Child server) {
        assertThat(server.end()).as("%s", server).isZero();
        System.out.println("ring operations: " + server.ringOperations());
        assertThat(server.ringOperations()).isGreaterThan(CONNECTIONS);
    }
}
