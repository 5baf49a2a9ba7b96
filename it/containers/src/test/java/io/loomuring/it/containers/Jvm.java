package io.loomuring.it.containers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * JVMs of JDK 25 in containers. The JDK that runs the tests and the jars under test are bound into
 * them read-only, so no image is built:
 *
 * <table>
 *   <caption>What lies where</caption>
 *   <tr><td>{@code /jdk}</td><td>the JDK
 *   <tr><td>{@code /app/loom-uring.jar}</td><td>the agent
 *   <tr><td>{@code /app/dnsj}, {@code /app/conscrypt-ktls}</td><td>those jars, with their lib
 *   <tr><td>{@code /app/classes}, {@code /app/lib}</td><td>the tests' programs (src/main), and the
 *       libraries that these use
 * </table>
 *
 * <pre>{@code
 * try (var server = Jvm.onRings(List.of("-Xmx64m"), EchoServer.class)
 *         .user(1000).host(host -> host.withMemory(256L << 20))) {
 *     server.start();
 *     int port = Integer.parseInt(server.awaitValue("port"));
 *     ...
 *     server.endOnRings();
 * }
 * }</pre>
 *
 * <p>Programs that serve end by SIGTERM ({@link LocalContainer#end}); the report of the ring
 * operations is printed then.
 */
final class Jvm {
    private Jvm() {}

    static final String AGENT = "/app/loom-uring.jar";
    static final String DNSJ = "/app/dnsj/dnsj.jar";
    static final String CONSCRYPT_KTLS = "/app/conscrypt-ktls/conscrypt-ktls.jar";

    private static final Path ROOT = Path.of(System.getProperty("loomuring.root"));
    private static final Path JDK = Path.of(System.getProperty("java.home"));

    /**
     * A program under the agent, which must run on the rings: mode {@code required}, assertions on,
     * and the ring operations printed at exit; under the seccomp profile that we ship. Options are
     * the JVM's.
     */
    static LocalContainer onRings(List<String> options, Class<?> program, String... arguments) {
        var all = new ArrayList<>(List.of("-Dloomuring.mode=required"));
        all.addAll(options);
        return withAgent(all, program, arguments).seccomp(Seccomp.shipped());
    }

    /** A program under the agent, in mode {@code auto}; the seccomp profile is the engine's. */
    static LocalContainer withAgent(List<String> options, Class<?> program, String... arguments) {
        var all = new ArrayList<>(List.of("-ea", "-javaagent:" + AGENT, "-Dloomuring.report=on"));
        all.addAll(options);
        return program(all, program, arguments);
    }

    /** A program on the JDK alone. */
    static LocalContainer program(List<String> options, Class<?> program, String... arguments) {
        var all = new ArrayList<>(options);
        all.addAll(
                List.of(
                        "-cp",
                        String.join(":", "/app/classes", "/app/lib/*", DNSJ, CONSCRYPT_KTLS),
                        program.getName()));
        all.addAll(List.of(arguments));
        return java(all);
    }

    /** The doctor, with options of the JVM's. */
    static LocalContainer doctor(String... options) {
        var all = new ArrayList<>(List.of(options));
        all.addAll(List.of("-jar", AGENT, "doctor"));
        return java(all);
    }

    /** The JDK's java with these arguments. */
    static LocalContainer java(List<String> arguments) {
        var command = new ArrayList<>(List.of("/jdk/bin/java"));
        command.addAll(arguments);
        return withJars(LocalContainer.of(command.toArray(String[]::new))).bind(JDK, "/jdk");
    }

    /** Of this machine. */
    static Path agentJar() {
        return ROOT.resolve("loom-uring/target/loom-uring.jar");
    }

    /** Of this machine: the programs, without the libraries that some of them use. */
    static Path programsJar() {
        return ROOT.resolve("it/containers/target/programs.jar");
    }

    /** The jars and programs, without the JDK. */
    static LocalContainer withJars(LocalContainer container) {
        return container
                .bind(agentJar(), AGENT)
                .bind(ROOT.resolve("dnsj/target"), "/app/dnsj")
                .bind(ROOT.resolve("conscrypt-ktls/target"), "/app/conscrypt-ktls")
                .bind(ROOT.resolve("it/containers/target/classes"), "/app/classes")
                .bind(ROOT.resolve("it/containers/target/lib"), "/app/lib");
    }
}
