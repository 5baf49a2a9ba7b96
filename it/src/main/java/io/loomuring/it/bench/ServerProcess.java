package io.loomuring.it.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A running server. */
final class ServerProcess implements AutoCloseable {
    private static final Duration START_WAIT = Duration.ofSeconds(60);
    private static final Duration ANSWER_WAIT = Duration.ofSeconds(60);
    private static final Duration STOP_WAIT = Duration.ofSeconds(15);

    /** What loom-uring's agent prints at the end with {@code -Dloomuring.report=true}. */
    private static final String RING_OPERATIONS = "loom-uring: ring operations:";

    private final String label;
    private final Process process;
    private final Output output;
    private final Output errors;
    private final boolean onRing;
    private final int port;

    private ServerProcess(String label, Process process, boolean onRing) {
        this.label = label;
        this.process = process;
        this.output = new Output(process.getInputStream(), label + " output");
        this.errors = new Output(process.getErrorStream(), label + " errors");
        this.onRing = onRing;
        this.port = Integer.parseInt(awaitLine("PORT ", START_WAIT));
    }

    /**
     * Starts a server and waits until it listens.
     *
     * @param onRing whether it must report ring operations of loom-uring at its end
     */
    static ServerProcess start(String label, List<String> command, boolean onRing) {
        return new ServerProcess(label, Children.start(command), onRing);
    }

    int port() {
        return port;
    }

    long pid() {
        return process.pid();
    }

    /** Sends a command of {@code ServerControl}; what follows the prefix in its answer. */
    String ask(String command, String answerPrefix) {
        try {
            process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw failure("cannot be asked: " + e.getMessage());
        }
        return awaitLine(answerPrefix, ANSWER_WAIT);
    }

    /**
     * Ends the server.
     *
     * @return the ring operations that loom-uring reported; 0 on the other sides
     * @throws BenchFailure if it should have used loom-uring's rings and did not: what was measured
     *     was the JDK's own scheduler and channels
     */
    long stop() {
        if (!process.isAlive()) {
            throw failure("ended too early, with status " + process.exitValue());
        }
        process.toHandle().destroy(); // Process.destroy() would close its output before the end
        if (!awaitExit()) {
            throw failure("did not end within " + STOP_WAIT.toSeconds() + " s of SIGTERM");
        }
        if (!onRing) {
            return 0;
        }
        long operations =
                errors.awaitLine(RING_OPERATIONS, STOP_WAIT).map(Long::parseLong).orElse(0L);
        if (operations == 0) {
            throw failure("reported no ring operations: it did not run on io_uring");
        }
        return operations;
    }

    /** A failure of this server, with what it printed; ends it. */
    BenchFailure failure(String what) {
        close();
        String printed = errors.text();
        return new BenchFailure(label + " " + what + (printed.isBlank() ? "" : "\n" + printed));
    }

    @Override
    public void close() {
        process.toHandle().destroyForcibly();
        awaitExit();
    }

    private String awaitLine(String prefix, Duration wait) {
        return output.awaitLine(prefix, wait)
                .orElseThrow(() -> failure("did not print " + prefix.strip()));
    }

    private boolean awaitExit() {
        try {
            return process.waitFor(STOP_WAIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new BenchFailure("interrupted", e);
        }
    }
}
