package io.loomuring.it.soak;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.platform.commons.support.AnnotationSupport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Keeps a table of the faults that this run tried in {@code target/reliability/faults.md}. */
final class ReliabilityTable implements TestWatcher {
    private static final Path FILE = Path.of("target/reliability/faults.md");
    private static final Map<String, String> ROWS = new TreeMap<>(); // guarded by itself
    private static String seen = ""; // guarded by ROWS; by the test that runs

    /** What a test has seen, for its row. */
    static void seen(String what) {
        System.out.println("seen: " + what);
        synchronized (ROWS) {
            seen = what;
        }
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        note(context, "passed");
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        note(context, "FAILED");
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        note(context, "skipped: " + cause.getMessage().replace("Assumption failed: ", ""));
    }

    private static void note(ExtensionContext context, String result) {
        AnnotationSupport.findAnnotation(context.getElement(), Fault.class)
                .ifPresent(fault -> {
                    synchronized (ROWS) {
                        ROWS.put(
                                fault.value(),
                                "| %s | %s | %s | %s | `%s#%s` |"
                                        .formatted(
                                                fault.value(),
                                                fault.promised(),
                                                seen,
                                                result,
                                                context.getRequiredTestClass().getSimpleName(),
                                                context.getRequiredTestMethod().getName()));
                        seen = "";
                        write();
                    }
                });
    }

    private static void write() {
        List<String> lines = new ArrayList<>();
        lines.add("| fault | promised | seen | result | test |");
        lines.add("| --- | --- | --- | --- | --- |");
        lines.addAll(ROWS.values());
        try {
            Files.createDirectories(FILE.getParent());
            Files.write(FILE, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
