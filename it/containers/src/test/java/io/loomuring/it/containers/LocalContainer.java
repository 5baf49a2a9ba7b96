package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.HostConfig;

import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame.OutputType;
import org.testcontainers.containers.startupcheck.StartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.utility.DockerImageName;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A container of the local image, or of one made from it, that a test starts and looks at from
 * outside. It counts as started once its command runs, or has run; what it is ready for, a test
 * waits for by its lines of output. Closing it removes it.
 *
 * <pre>{@code
 * try (var peer = LocalContainer.of("redis-server", "--port", "6379").withNetwork(network)) {
 *     peer.start();
 *     peer.awaitOutput("Ready to accept connections");
 * }
 * }</pre>
 *
 * <p>For JVMs see {@link Jvm}.
 */
final class LocalContainer extends GenericContainer<LocalContainer> {
    /** Marks what a run has made, so that {@code it/bin/containers} can remove it. */
    static final Map<String, String> LABELS =
            Map.of("io.loomuring.run", System.getProperty("containers.run"));

    private static final Duration WAIT = Duration.ofSeconds(60);
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final int STOP_SECONDS = 20; // then it is killed
    private static final String OPERATIONS = "loom-uring: ring operations: ";

    private final Map<String, String> securityOptions = new HashMap<>();

    private LocalContainer(String image, List<String> command) {
        super(DockerImageName.parse(image));
        withCommand(command.toArray(String[]::new));
        withLabels(LABELS);
        host(host -> host.withSecurityOpts(List.copyOf(securityOptions.values())));
        withStartupCheckStrategy(new Begun());
        waitingFor(new Nothing());
    }

    /** Of the local image. */
    static LocalContainer of(String... command) {
        return new LocalContainer(Engine.IMAGE, List.of(command));
    }

    /** Of another image that the engine has. */
    static LocalContainer ofImage(String image, List<String> command) {
        return new LocalContainer(image, command);
    }

    private static final class Begun extends StartupCheckStrategy {
        @Override
        public StartupStatus checkStartupState(
                com.github.dockerjava.api.DockerClient client, String id) {
            String status = client.inspectContainerCmd(id).exec().getState().getStatus();
            return "created".equals(status)
                    ? StartupStatus.NOT_YET_KNOWN
                    : StartupStatus.SUCCESSFUL;
        }
    }

    private static final class Nothing extends AbstractWaitStrategy {
        @Override
        protected void waitUntilReady() {}
    }

    // ---- what it may do: before start ----

    /** Sets what the engine takes by {@code --memory}, {@code --ulimit} and the like. */
    LocalContainer host(Consumer<HostConfig> setting) {
        return withCreateContainerCmdModifier(command -> setting.accept(command.getHostConfig()));
    }

    /** The seccomp profile, in place of the engine's own or of one set before. */
    LocalContainer seccomp(Seccomp profile) {
        return securityOption("seccomp", profile.json());
    }

    /** As {@code --security-opt}; of an option that is set twice the last value counts. */
    LocalContainer securityOption(String name, String value) {
        securityOptions.put(name, name + "=" + value);
        return this;
    }

    /** Binds a file or folder of this machine, read-only. */
    LocalContainer bind(Path source, String target) {
        return host(host -> {
            var binds = host.getBinds();
            var bind =
                    new com.github.dockerjava.api.model.Bind(
                            source.toAbsolutePath().toString(),
                            new com.github.dockerjava.api.model.Volume(target),
                            com.github.dockerjava.api.model.AccessMode.ro);
            host.withBinds(
                    Stream.concat(binds == null ? Stream.of() : Stream.of(binds), Stream.of(bind))
                            .toList());
        });
    }

    /** As {@code --user}. */
    LocalContainer user(int uid) {
        return withCreateContainerCmdModifier(command -> command.withUser(uid + ":" + uid));
    }

    /** A fixed address in a network of {@link Networks#createAddressed}; it outlives a restart. */
    LocalContainer address(String address) {
        return withCreateContainerCmdModifier(command -> command.withIpv4Address(address));
    }

    // ---- what it says and does: after start ----

    List<String> outputLines() {
        return getLogs(OutputType.STDOUT).lines().toList();
    }

    List<String> errorLines() {
        return getLogs(OutputType.STDERR).lines().toList();
    }

    /** Waits until a line of either stream has a text in it; that line. */
    String awaitOutput(String text) {
        return awaitOutput(text, WAIT);
    }

    String awaitOutput(String text, Duration wait) {
        long deadline = System.nanoTime() + wait.toNanos();
        while (true) {
            boolean running = isRunning(); // before its lines, so that none is missed
            for (String line : getLogs().lines().toList()) {
                if (line.contains(text)) {
                    return line;
                }
            }
            if (!running) {
                throw new AssertionError("ended without \"" + text + "\": " + this);
            }
            if (System.nanoTime() >= deadline) {
                throw new AssertionError("no \"" + text + "\" within " + wait + ": " + this);
            }
            pause();
        }
    }

    /** Waits until as many lines of both streams have a text in them; restarts add to them. */
    void awaitOutputs(String text, int count) {
        long deadline = System.nanoTime() + WAIT.toNanos();
        while (getLogs().lines().filter(line -> line.contains(text)).count() < count) {
            if (System.nanoTime() >= deadline) {
                throw new AssertionError(
                        "not " + count + " times \"" + text + "\" within " + WAIT + ": " + this);
            }
            pause();
        }
    }

    /** The value of its first line {@code NAME=VALUE} of output, which may be yet to come. */
    String awaitValue(String name) {
        String line = awaitOutput(name + "=");
        return line.substring(line.indexOf(name + "=") + name.length() + 1);
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until it has ended by itself; the exit code. */
    int awaitExit() {
        try (var waiting = getDockerClient().waitContainerCmd(getContainerId()).start()) {
            return waiting.awaitStatusCode(WAIT.toSeconds(), TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (RuntimeException e) {
            throw new AssertionError("did not end: " + this, e);
        }
    }

    /** Sends SIGTERM and waits for the end, after which the output can still be read. */
    int end() {
        try {
            getDockerClient().stopContainerCmd(getContainerId()).withTimeout(STOP_SECONDS).exec();
        } catch (NotModifiedException e) {
            // it has ended already
        }
        return awaitExit();
    }

    /** Sends SIGTERM, waits for the end, and starts the same command again. */
    void restart() {
        getDockerClient().restartContainerCmd(getContainerId()).withTimeout(STOP_SECONDS).exec();
    }

    /** How often a JVM of {@link Jvm#onRings} has ended and reported what the rings did. */
    long lives() {
        return errorLines().stream().filter(line -> line.startsWith(OPERATIONS)).count();
    }

    /** Sends a signal to its first process. */
    void signal(String name) {
        getDockerClient().killContainerCmd(getContainerId()).withSignal(name).exec();
    }

    /** Runs a command in it, which must succeed; its output. */
    String run(String... command) {
        try {
            ExecResult result = execInContainer(command);
            assertThat(result.getExitCode())
                    .as("%s: %s%s", List.of(command), result.getStdout(), result.getStderr())
                    .isZero();
            return result.getStdout();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The ring operations that its JVM reported at its end, the last one if it was restarted. */
    long ringOperations() {
        return errorLines().stream()
                .filter(line -> line.startsWith(OPERATIONS))
                .mapToLong(line -> Long.parseLong(line.substring(OPERATIONS.length())))
                .reduce((earlier, last) -> last)
                .orElseThrow(() -> new AssertionError("no ring operations reported: " + this));
    }

    /** Ends a JVM of {@link Jvm#onRings}, which must have used the rings, and prints how much. */
    void endOnRings() {
        int code = end();
        assertThat(code).as("%s", this).isIn(0, 128 + 15); // of itself, or by SIGTERM
        checkRings();
    }

    /** It has ended, and the rings carried it. */
    void checkRings() {
        System.out.println(
                String.join(" ", getCommandParts()).replaceFirst(".*\\.program\\.", "")
                        + ": ring operations: "
                        + ringOperations());
        assertThat(ringOperations()).as("%s", this).isPositive();
        assertThat(errorLines()).noneMatch(line -> line.contains("internal error"));
    }

    @Override
    public String toString() {
        String end =
                getContainerId() == null || isRunning()
                        ? ""
                        : ", exit code " + getCurrentContainerInfo().getState().getExitCodeLong();
        return String.join(" ", getCommandParts()) + end + "\n" + getLogs();
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
