package io.loomuring.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The open descriptors of a process, by number, with what {@code /proc/PID/fd} says of each. */
public final class Descriptors {
    private Descriptors() {}

    private static final int O_CLOEXEC = 02000000;
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(20);

    /** Those of this process that a test can open; not the class path's files. */
    static Map<Integer, String> ofThisProcess() {
        Map<Integer, String> all = of(ProcessHandle.current().pid());
        all.values().removeIf(link -> link.startsWith("/") && !link.startsWith("/dev"));
        return all;
    }

    /** The same without those that carriers have for themselves. */
    static Map<Integer, String> ofThisProcessButCarriers() {
        Map<Integer, String> all = ofThisProcess();
        all.keySet().removeAll(RingSlots.descriptors());
        return all;
    }

    public static Map<Integer, String> of(long pid) {
        var links = new TreeMap<Integer, String>();
        Path folder = Path.of("/proc", Long.toString(pid), "fd");
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                try {
                    links.put(
                            Integer.parseInt(entry.getFileName().toString()),
                            Files.readSymbolicLink(entry).toString());
                } catch (NoSuchFileException e) {
                    // closed since, as the folder's own is
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return links;
    }

    /** Waits until as many are open as were before; fails with those that were left. */
    static void awaitNoMoreThan(Map<Integer, String> before) {
        Patience.await(
                () -> {
                    var more = ofThisProcessButCarriers();
                    int excess = more.size() - before.size();
                    more.values().removeAll(before.values());
                    more.replaceAll((_, link) -> link + connectionOf(link));
                    return excess + " descriptors left open, new are " + more;
                },
                CLOSE_WAIT,
                () -> ofThisProcessButCarriers().size() <= before.size());
    }

    /** What the kernel says of a TCP socket: its addresses and its state, in hexadecimal. */
    private static String connectionOf(String link) {
        for (String table : List.of("tcp", "tcp6")) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/self/net", table))) {
                    String[] fields = line.strip().split("\\s+", -1);
                    if (link.equals("socket:[" + fields[9] + "]")) {
                        return " from " + fields[1] + " to " + fields[2] + " in state " + fields[3];
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return "";
    }

    /** A line of {@code /proc/PID/fdinfo/FD} or the like, by its key. */
    public static String field(Path file, String key) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(key + ":")) {
                    return line.substring(key.length() + 1).strip();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException("no " + key + " in " + file);
    }

    /** Which of these descriptors of this process lack {@code O_CLOEXEC}. */
    static List<String> inheritableOf(Map<Integer, String> descriptors) {
        var found = new ArrayList<String>();
        descriptors.forEach((fd, link) -> {
            Path info = Path.of("/proc/self/fdinfo", Integer.toString(fd));
            if ((Integer.parseInt(field(info, "flags"), 8) & O_CLOEXEC) == 0) {
                found.add(fd + " " + link);
            }
        });
        return found;
    }
}
