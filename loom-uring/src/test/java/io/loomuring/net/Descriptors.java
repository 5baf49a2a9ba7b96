package io.loomuring.net;

import io.loomuring.testing.Running;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;

/** This process's descriptors, as the kernel lists them. */
public final class Descriptors {
    private Descriptors() {}

    private static final Path FOLDER = Path.of("/proc/self/fd");
    private static final int O_CLOEXEC = 0x80000;

    /** Whether a descriptor is open. */
    public static boolean isOpen(int fd) {
        return Files.exists(FOLDER.resolve(Integer.toString(fd)), LinkOption.NOFOLLOW_LINKS);
    }

    /** How many sockets are open. */
    static long sockets() throws IOException {
        return open("socket:").size();
    }

    /** Fails unless the sockets that a body opens and drops are closed when they are collected. */
    static void expectDroppedSocketsToBeClosed(Running.Body drop) {
        // others may come and go meanwhile
        Attempt.eventually("leaked sockets are closed", () -> dropsAndCollects(drop));
    }

    private static boolean dropsAndCollects(Running.Body drop) {
        try {
            long before = sockets();
            drop.run();
            System.gc();
            long start = System.nanoTime();
            while (sockets() > before) {
                if (System.nanoTime() - start > 2_000_000_000L) {
                    return false;
                }
                Thread.onSpinWait();
            }
            return true;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** What is open whose kind starts with a text, as in {@code socket:}. */
    public static Set<Integer> open(String kind) throws IOException {
        try (var links = Files.list(FOLDER)) {
            return links.filter(link -> kind(link).startsWith(kind))
                    .map(link -> Integer.valueOf(link.getFileName().toString()))
                    .collect(Collectors.toSet());
        }
    }

    /** A descriptor of a file, or -1. */
    public static int of(Path file) {
        try {
            return open(file.toRealPath().toString()).stream().findAny().orElse(-1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String kind(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return ""; // closed since it was listed
        }
    }

    /** Whether a program that is started would not have it. */
    public static boolean isClosedOnExec(int fd) throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/fdinfo/" + fd))) {
            String flags = lines.filter(l -> l.startsWith("flags:")).findFirst().orElseThrow();
            return (Long.parseLong(flags.substring("flags:".length()).strip(), 8) & O_CLOEXEC) != 0;
        }
    }
}
