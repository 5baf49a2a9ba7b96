package io.loomuring.it.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The lines that a child has printed, read as they come, so that it never waits for its reader. */
final class Output {
    private final Thread reader;
    private final List<String> lines = new ArrayList<>(); // guarded by this
    private int taken; // guarded by this; how many lines awaitLine has passed
    private boolean ended; // guarded by this

    Output(InputStream stream, String name) {
        reader = Thread.ofPlatform().daemon().name(name).start(() -> readAll(stream));
    }

    /**
     * The rest of the next line that starts with the prefix; empty at the end or after the wait.
     */
    synchronized Optional<String> awaitLine(String prefix, Duration wait) {
        long deadlineNanos = System.nanoTime() + wait.toNanos();
        while (true) {
            while (taken < lines.size()) {
                String line = lines.get(taken++);
                if (line.startsWith(prefix)) {
                    return Optional.of(line.substring(prefix.length()).strip());
                }
            }
            long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000;
            if (ended || leftMillis <= 0) {
                return Optional.empty();
            }
            try {
                wait(leftMillis);
            } catch (InterruptedException e) {
                throw new BenchFailure("interrupted", e);
            }
        }
    }

    /** All of it; to be called when the child has ended. */
    String text() {
        try {
            reader.join();
        } catch (InterruptedException e) {
            throw new BenchFailure("interrupted", e);
        }
        synchronized (this) {
            return String.join("\n", lines);
        }
    }

    private void readAll(InputStream stream) {
        try (var input =
                new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line; (line = input.readLine()) != null; ) {
                add(line);
            }
        } catch (IOException e) {
            add(e.toString()); // closed under us when the child was killed
        } finally {
            end();
        }
    }

    private synchronized void add(String line) {
        lines.add(line);
        notifyAll();
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }
}
