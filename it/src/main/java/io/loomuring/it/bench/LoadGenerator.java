package io.loomuring.it.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs the load program against a server.
 *
 * @param program the compiled load.c
 * @param pinning what starts it on its core, or nothing
 * @param requests what tells it what to ask
 */
record LoadGenerator(Path program, List<String> pinning, List<String> requests) {
    private static final Duration GRACE = Duration.ofSeconds(60);

    static LoadGenerator on(Path program, Cores cores, List<String> requests) {
        return new LoadGenerator(
                program, List.of("taskset", "-c", String.valueOf(cores.load())), requests);
    }

    static LoadGenerator unpinned(Path program, List<String> requests) {
        return new LoadGenerator(program, List.of(), requests);
    }

    /** How long the measured window is. */
    sealed interface Window {
        record Seconds(double seconds) implements Window {}

        record Requests(long requests) implements Window {}
    }

    /** Load for its own sake. */
    Measurement warmUp(ServerProcess server, int connections, double seconds) {
        return run(server, connections, 0, new Window.Seconds(seconds), 0, () -> {});
    }

    /**
     * Loads the server and measures it.
     *
     * @param warmupSeconds load before the window opens
     * @param syscallSeconds a second window for system calls; 0 for none
     * @param atStart runs when the window opens
     */
    Measurement run(
            ServerProcess server,
            int connections,
            double warmupSeconds,
            Window window,
            double syscallSeconds,
            Runnable atStart) {
        List<String> command = command(server, connections);
        command.addAll(List.of("--warmup", String.valueOf(warmupSeconds)));
        command.addAll(List.of("--syscall-seconds", String.valueOf(syscallSeconds)));
        double windowSeconds =
                switch (window) {
                    case Window.Seconds(double seconds) -> {
                        command.addAll(List.of("--seconds", String.valueOf(seconds)));
                        yield seconds;
                    }
                    case Window.Requests(long requests) -> {
                        command.addAll(List.of("--requests", String.valueOf(requests)));
                        yield requests / 1e3; // a server slower than this is broken
                    }
                };
        Duration wait = GRACE.plusSeconds((long) (warmupSeconds + windowSeconds + syscallSeconds));
        return run(server, command, wait, atStart, Optional.empty());
    }

    /**
     * Opens connections of which each has a request every second for a while, and then none. The
     * first second is not measured.
     *
     * @param whenIdle runs when every answer is there and all connections are still open
     */
    Measurement hold(ServerProcess server, int connections, double seconds, Runnable whenIdle) {
        List<String> command = command(server, connections);
        command.addAll(List.of("--interval", "1", "--warmup", "1", "--hold"));
        command.addAll(List.of("--seconds", String.valueOf(seconds)));
        Duration wait = GRACE.plusSeconds((long) seconds);
        return run(server, command, wait, () -> {}, Optional.of(whenIdle));
    }

    private List<String> command(ServerProcess server, int connections) {
        var command = new ArrayList<>(pinning);
        command.add(program.toString());
        command.addAll(requests);
        command.addAll(List.of("--port", String.valueOf(server.port())));
        command.addAll(List.of("--server-pid", String.valueOf(server.pid())));
        command.addAll(List.of("--connections", String.valueOf(connections)));
        return command;
    }

    private static Measurement run(
            ServerProcess server,
            List<String> command,
            Duration wait,
            Runnable atStart,
            Optional<Runnable> whenIdle) {
        Process process = Children.start(command);
        try {
            var output = new Output(process.getInputStream(), "load output");
            var errors = new Output(process.getErrorStream(), "load errors");
            if (output.awaitLine("MEASURING", wait).isPresent()) {
                atStart.run();
            }
            Optional<String> json = output.awaitLine("{", wait);
            boolean held = whenIdle.isEmpty() || output.awaitLine("HOLDING", wait).isPresent();
            if (json.isEmpty() || !held) {
                process.toHandle().destroyForcibly();
                throw server.failure("failed under load: " + errors.text());
            }
            if (whenIdle.isPresent()) {
                whenIdle.get().run();
                process.getOutputStream().close();
            }
            return Measurement.parse("{" + json.get());
        } catch (IOException e) {
            throw new BenchFailure("the load cannot be told to end: " + e.getMessage(), e);
        } finally {
            end(process);
        }
    }

    /** After its result the program only waits for outstanding answers. */
    private static void end(Process process) {
        try {
            if (!process.waitFor(Duration.ofSeconds(5))) {
                process.toHandle().destroyForcibly();
            }
        } catch (InterruptedException e) {
            throw new BenchFailure("interrupted", e);
        }
    }
}
