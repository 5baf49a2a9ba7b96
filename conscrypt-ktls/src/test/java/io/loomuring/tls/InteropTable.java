package io.loomuring.tls;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.platform.commons.support.AnnotationSupport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Keeps a table of what this run tried with whom in {@code target/interop.md}. */
final class InteropTable implements TestWatcher {
    /** How often a thing was tried. */
    private static final class Tally {
        int passed;
        int failed;
        int skipped;
        String reason = "";

        @Override
        public String toString() {
            var parts = new ArrayList<String>();
            if (passed > 0) {
                parts.add(passed + " passed");
            }
            if (failed > 0) {
                parts.add(failed + " FAILED");
            }
            if (skipped > 0) {
                parts.add(skipped + " skipped: " + reason);
            }
            return String.join(", ", parts);
        }
    }

    private static final Map<Peer, Map<String, Tally>> TALLIES = // guarded by itself
            new EnumMap<>(Peer.class);
    private static final Map<Peer, String> VERSIONS = new EnumMap<>(Peer.class); // as above

    @Override
    public void testSuccessful(ExtensionContext context) {
        note(context, tally -> tally.passed++);
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        note(context, tally -> tally.failed++);
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        note(
                context,
                tally -> {
                    tally.skipped++;
                    tally.reason = cause.getMessage().replace("Assumption failed: ", "");
                });
    }

    private interface Change {
        void to(Tally tally);
    }

    private static void note(ExtensionContext context, Change change) {
        Optional<Interop> ofMethod =
                AnnotationSupport.findAnnotation(context.getElement(), Interop.class);
        Optional<Interop> ofClass =
                AnnotationSupport.findAnnotation(context.getRequiredTestClass(), Interop.class);
        ofMethod.or(() -> ofClass)
                .ifPresent(tried -> {
                    synchronized (TALLIES) {
                        change.to(
                                TALLIES.computeIfAbsent(tried.peer(), _ -> new TreeMap<>())
                                        .computeIfAbsent(tried.what(), _ -> new Tally()));
                        write();
                    }
                });
    }

    private static void write() {
        List<String> lines = new ArrayList<>(List.of("| peer | version | what | result |"));
        lines.add("| --- | --- | --- | --- |");
        TALLIES.forEach((peer, tallies) ->
                tallies.forEach((what, tally) ->
                        lines.add(
                                "| %s | %s | %s | %s |"
                                        .formatted(
                                                peer.title,
                                                VERSIONS.computeIfAbsent(peer, Peer::version),
                                                what,
                                                tally))));
        try {
            Files.write(Path.of("target/interop.md"), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
