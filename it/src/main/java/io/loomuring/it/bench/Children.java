package io.loomuring.it.bench;

import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The processes that this one has started: none outlives it, however it ends. */
final class Children {
    private static final Queue<Process> STARTED = new ConcurrentLinkedQueue<>();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Children::killAll, "kill children"));
    }

    private Children() {}

    static Process start(List<String> command) {
        try {
            Process process = new ProcessBuilder(command).start();
            STARTED.add(process);
            return process;
        } catch (IOException e) {
            throw new BenchFailure("cannot start " + command.getFirst() + ": " + e.getMessage(), e);
        }
    }

    /** Those that have ended are left alone: a Process knows its own from a reused id. */
    private static void killAll() {
        STARTED.forEach(Process::destroyForcibly);
    }
}
