package io.loomuring.it.soak;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.it.Patience;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A control group with little memory; version 1 of them, or 2. */
final class MemoryGroup implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Path group;
    private final Path events;

    private MemoryGroup(Path group, Path events) {
        this.group = group;
        this.events = events;
    }

    /** A new one; skips the test where there can't be one. */
    static MemoryGroup of(long bytes) {
        String name = "loom-uring-it-" + ProcessHandle.current().pid();
        for (Path root : List.of(Path.of("/sys/fs/cgroup/memory"), Path.of("/sys/fs/cgroup"))) {
            Path group = root.resolve(name);
            boolean second = Files.exists(root.resolve("cgroup.controllers"));
            String limit = second ? "memory.max" : "memory.limit_in_bytes";
            try {
                Files.createDirectory(group);
                Files.writeString(group.resolve(limit), Long.toString(bytes));
                return new MemoryGroup(
                        group, group.resolve(second ? "memory.events" : "memory.oom_control"));
            } catch (IOException e) {
                boolean _ = group.toFile().delete();
            }
        }
        assumeTrue(false, "no control group with a limit of memory can be made here");
        throw new AssertionError();
    }

    void add(long pid) throws IOException {
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(pid));
    }

    /** How many processes the kernel has ended for their memory. */
    long kills() throws IOException {
        return Files.readAllLines(events).stream()
                .filter(line -> line.startsWith("oom_kill "))
                .mapToLong(line -> Long.parseLong(line.substring("oom_kill ".length())))
                .sum();
    }

    @Override
    public void close() {
        Patience.await(() -> group + " stays", LIMIT, () -> group.toFile().delete());
    }
}
