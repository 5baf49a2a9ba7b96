package io.loomuring.dns;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Map;

/** How configuration files are read: the only place that touches them. */
final class ConfigFile {
    private ConfigFile() {}

    private static final String STAMP = "unix:dev,ino,size,lastModifiedTime,ctime";

    /** Its text, or null where there is no such file. */
    static String read(Path path) throws IOException {
        try {
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return null;
        }
    }

    /**
     * Something that differs once the file has changed, from stat(2); as glibc's
     * file_change_detection. Empty where there is no such file.
     */
    static Map<String, Object> stamp(Path path) {
        try {
            return Files.readAttributes(path, STAMP);
        } catch (IOException e) {
            return Map.of();
        }
    }
}
