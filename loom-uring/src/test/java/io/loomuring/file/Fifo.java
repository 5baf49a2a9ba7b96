package io.loomuring.file;

import io.loomuring.testing.Libc;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** FIFOs, and their other ends. */
final class Fifo {
    private Fifo() {}

    private static final int OWNER_MAY_READ_AND_WRITE = 0600;

    static Path create(Path folder, String name) {
        Path path = folder.resolve(name);
        Libc.mkfifo(path.toString(), OWNER_MAY_READ_AND_WRITE);
        return path;
    }

    /** An end that reads and writes, whose open waits for nobody on Linux; of the JDK's. */
    static FileChannel peer(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }
}
