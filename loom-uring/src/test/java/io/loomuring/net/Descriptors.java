package io.loomuring.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** This process's descriptors, as the kernel lists them. */
final class Descriptors {
    private Descriptors() {}

    private static final Path FOLDER = Path.of("/proc/self/fd");

    static boolean isOpen(int fd) {
        return Files.exists(FOLDER.resolve(Integer.toString(fd)), LinkOption.NOFOLLOW_LINKS);
    }

    /** How many sockets are open. */
    static long sockets() throws IOException {
        try (var links = Files.list(FOLDER)) {
            return links.filter(Descriptors::isSocket).count();
        }
    }

    private static boolean isSocket(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // closed since it was listed
        }
    }
}
