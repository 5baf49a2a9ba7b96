package io.loomuring.it.program;

import io.loomuring.LoomUring;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * An agent of VMs that others start: at its exit each appends the number of its ring operations, a
 * line, to the file that the agent's argument names. Its standard streams are the tests' business.
 */
public final class OperationCount {
    private OperationCount() {}

    /** Called by the JVM at start. */
    public static void premain(String file) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> append(file)));
    }

    private static void append(String file) {
        String line = LoomUring.counters().operations + "\n";
        try (var out = new FileOutputStream(file, true)) {
            out.write(line.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            System.err.println("operations not counted: " + e);
        }
    }
}
