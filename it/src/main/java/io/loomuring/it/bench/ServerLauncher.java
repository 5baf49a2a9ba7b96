package io.loomuring.it.bench;

import io.loomuring.it.bench.server.NettyEchoServer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts the servers, each side with the same options wherever they apply.
 *
 * @param root the root of the repository
 * @param java the JDK's launcher
 * @param workload what the blocking servers are
 * @param buffer what they read into: direct or heap
 * @param ringFlags the C server's ring: coop, defer or none
 * @param jvmOptions for every JVM
 * @param agentOptions for the JVM under loom-uring's agent, after the others
 */
record ServerLauncher(
        Path root,
        Path java,
        Workload workload,
        String buffer,
        String ringFlags,
        List<String> jvmOptions,
        List<String> agentOptions) {

    /** A server on the given cores. */
    ServerProcess start(Side side, Cores cores) {
        var command = new ArrayList<>(List.of("taskset", "-c", cores.serverList()));
        command.addAll(
                switch (side) {
                    case NETTY -> netty();
                    case C -> c();
                    default -> blocking(side, List.of(), List.of());
                });
        return ServerProcess.start(side.label(), command, side.isOnRings());
    }

    /** A blocking server on all cores, with options and arguments of its own. */
    ServerProcess startOnAllCores(
            Side side, String label, List<String> options, List<String> serverArguments) {
        return ServerProcess.start(
                label, blocking(side, options, serverArguments), side.isOnRings());
    }

    private List<String> blocking(Side side, List<String> options, List<String> serverArguments) {
        var all = new ArrayList<String>();
        if (side.isOnRings()) {
            all.add("-javaagent:" + require("loom-uring/target/loom-uring.jar"));
            all.add("-Dloomuring.mode=required");
            all.add("-Dloomuring.report=true");
            if (side == Side.SQPOLL) {
                all.add("-Dloomuring.sqpoll=on");
            }
            all.addAll(agentOptions);
        }
        all.addAll(options);
        List<String> command = jvm(all, classes());
        command.addAll(workload.program(buffer));
        command.addAll(serverArguments);
        return command;
    }

    private List<String> netty() {
        String classPath = classes() + ":" + require("it/target/lib") + "/*";
        List<String> command = jvm(List.of("--enable-native-access=ALL-UNNAMED"), classPath);
        command.add(NettyEchoServer.class.getName());
        return command;
    }

    private List<String> c() {
        return List.of(require("it/target/bench/echo_uring").toString(), "--flags", ringFlags);
    }

    /** IPv4 sockets, as the C server has. */
    private List<String> jvm(List<String> options, String classPath) {
        var command = new ArrayList<>(List.of(java.toString(), "-Djava.net.preferIPv4Stack=true"));
        command.addAll(jvmOptions);
        command.addAll(options);
        command.addAll(List.of("-cp", classPath));
        return command;
    }

    private String classes() {
        return require("it/target/classes").toString();
    }

    private Path require(String path) {
        Path file = root.resolve(path);
        if (!Files.exists(file)) {
            throw new BenchFailure(path + " is missing: it/bin/bench builds it");
        }
        return file;
    }
}
