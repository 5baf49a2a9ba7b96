package io.loomuring.it.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A Java server's memory after a garbage collection.
 *
 * @param residentBytes of the process, its heap included
 * @param heapBytes in use on the heap
 */
record Memory(long residentBytes, long heapBytes) {

    static Memory of(ServerProcess server) {
        long heapBytes = Long.parseLong(server.ask("heap", "HEAP ")); // the collection comes first
        return new Memory(residentBytes(server.pid()), heapBytes);
    }

    private static long residentBytes(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", String.valueOf(pid), "smaps_rollup"))
                    .stream()
                    .filter(line -> line.startsWith("Rss:"))
                    .map(line -> line.substring("Rss:".length(), line.indexOf("kB")).strip())
                    .mapToLong(kilobytes -> Long.parseLong(kilobytes) * 1024)
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new BenchFailure("cannot read the server's memory: " + e.getMessage(), e);
        }
    }
}
