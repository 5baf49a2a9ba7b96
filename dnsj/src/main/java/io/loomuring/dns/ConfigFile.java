package io.loomuring.dns;

import io.loomuring.file.RingFile;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/**
 * How configuration files are read: the only place that touches them. Where loom-uring is there
 * they are read on its rings, else by the JDK.
 */
final class ConfigFile {
    private ConfigFile() {}

    private static final String STAMP = "unix:dev,ino,size,lastModifiedTime,ctime";
    private static final boolean HAS_RING_FILE = hasRingFile();

    /** Its text, or null where there is no such file. Not to be interrupted. */
    static String read(Path path) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return new String(bytes(path), StandardCharsets.UTF_8);
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return null;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static byte[] bytes(Path path) throws IOException {
        return HAS_RING_FILE ? OnRing.readAllBytes(path) : Files.readAllBytes(path);
    }

    /** Linked only where loom-uring is on the class path. */
    private static final class OnRing {
        static byte[] readAllBytes(Path path) throws IOException {
            return RingFile.readAllBytes(path);
        }

        static Object status(Path path) throws IOException {
            return RingFile.status(path);
        }
    }

    private static boolean hasRingFile() {
        try {
            Class.forName("io.loomuring.file.RingFile", false, ConfigFile.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /**
     * Something that differs once the file has changed; as glibc's file_change_detection. Null
     * where there is no such file.
     */
    static Object stamp(Path path) {
        try {
            return HAS_RING_FILE ? OnRing.status(path) : Files.readAttributes(path, STAMP);
        } catch (IOException e) {
            return null;
        }
    }
}
