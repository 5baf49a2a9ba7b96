package io.loomuring.it.bench;

import io.loomuring.it.bench.server.EchoServer;
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
 * @param buffer what EchoServer reads into: direct or heap
 * @param ringFlags the C server's ring: coop, defer or none
 * @param jvmOptions for every JVM
 * @param agentOptions for the JVM under loom-uring's agent, after the others
 */
record ServerLauncher(
        Path root,
        Path java,
        String buffer,
        String ringFlags,
        List<String> jvmOptions,
        List<String> agentOptions) {

    /** A server on the given cores. */
    ServerProcess start(Side side, Cores cores) {
        var command = new ArrayList<>(List.of("taskset", "-c", cores.serverList()));
        command.addAll(
                switch (side) {
                    case STOCK, STOCK2 -> stock(List.of());
                    case OURS -> ours(List.of(), List.of());
                    case NETTY -> netty();
                    case C -> c();
                });
        return ServerProcess.start(side.label(), command, side == Side.OURS);
    }

    /** Our server on all cores, with options of its own. */
    ServerProcess startOurs(String label, List<String> options, List<String> serverArguments) {
        return ServerProcess.start(label, ours(options, serverArguments), true);
    }

    private List<String> stock(List<String> options) {
        return echoServer(options, List.of());
    }

    private List<String> ours(List<String> options, List<String> serverArguments) {
        var all = new ArrayList<String>();
        all.add("-javaagent:" + require("loom-uring/target/loom-uring.jar"));
        all.add("-Dloomuring.mode=required");
        all.add("-Dloomuring.report=true");
        all.addAll(agentOptions);
        all.addAll(options);
        return echoServer(all, serverArguments);
    }

    private List<String> echoServer(List<String> options, List<String> serverArguments) {
        List<String> command = jvm(options, classes());
        command.add(EchoServer.class.getName());
        command.addAll(List.of("--buffer", buffer));
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
