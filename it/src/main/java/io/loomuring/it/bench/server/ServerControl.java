package io.loomuring.it.bench.server;

import com.sun.management.ThreadMXBean;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;

/**
 * What the benchmark asks a running server, line by line on its standard input:
 *
 * <ul>
 *   <li>{@code allocated}: answers {@code ALLOCATED n}, the bytes that all threads have allocated
 *       on the heap since the start;
 *   <li>{@code contention start}, {@code contention stop}: answers {@code CONTENTION} and the
 *       result of a {@link ContentionRecording} between the two;
 *   <li>{@code heap}: collects garbage and answers {@code HEAP n}, the bytes in use after it.
 * </ul>
 *
 * The end of the input ends the server, so that it never outlives the benchmark.
 */
final class ServerControl {
    private ServerControl() {}

    /** Announces the port, then answers until the input ends. */
    static void run(int port) throws IOException {
        answer("PORT " + port);
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        ContentionRecording contention = null;
        for (String line; (line = input.readLine()) != null; ) {
            switch (line) {
                case "allocated" -> answer("ALLOCATED " + allocatedBytes());
                case "contention start" -> {
                    contention = ContentionRecording.start();
                    answer("CONTENTION started");
                }
                case "contention stop" -> {
                    if (contention == null) {
                        throw new IllegalStateException("contention is not being recorded");
                    }
                    answer("CONTENTION " + contention.stop());
                    contention = null;
                }
                case "heap" -> answer("HEAP " + liveHeapBytes());
                default -> throw new IllegalArgumentException("unknown command " + line);
            }
        }
        System.exit(0);
    }

    private static long allocatedBytes() {
        return ManagementFactory.getPlatformMXBean(ThreadMXBean.class)
                .getTotalThreadAllocatedBytes();
    }

    private static long liveHeapBytes() {
        System.gc(); // finds what is unreachable, which cleaners then free
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static void answer(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
