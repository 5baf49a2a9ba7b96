package io.loomuring.it.bench.server;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Counts by JFR, with no threshold, how often threads had to wait for a monitor, and how often a
 * platform thread parked (as java.util.concurrent's locks do, and carriers without work). The
 * parking of a virtual thread that leaves its carrier is no event.
 */
final class ContentionRecording {
    private static final String MONITOR_ENTER = "jdk.JavaMonitorEnter";
    private static final String THREAD_PARK = "jdk.ThreadPark";

    private final Recording recording;

    private ContentionRecording(Recording recording) {
        this.recording = recording;
    }

    static ContentionRecording start() {
        var recording = new Recording();
        recording.enable(MONITOR_ENTER).withThreshold(Duration.ZERO).withoutStackTrace();
        recording.enable(THREAD_PARK).withThreshold(Duration.ZERO).withoutStackTrace();
        recording.start();
        return new ContentionRecording(recording);
    }

    /** Ends the recording; its counts as a JSON object, then the thread that parked most often. */
    String stop() throws IOException {
        recording.stop();
        Path file = Files.createTempFile("contention", ".jfr");
        try (recording) {
            recording.dump(file);
            List<RecordedEvent> events = RecordingFile.readAllEvents(file);
            Map<String, Long> parks = byThread(events, THREAD_PARK);
            return "{\"monitor_enters\":"
                    + sum(byThread(events, MONITOR_ENTER))
                    + ",\"thread_parks\":"
                    + sum(parks)
                    + "} "
                    + parks.keySet().stream().max(Comparator.comparing(parks::get)).orElse("-");
        } finally {
            Files.delete(file);
        }
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** How many events of a type each thread has, other than the recorder's own. */
    private static Map<String, Long> byThread(List<RecordedEvent> events, String type) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(type))
                .map(ContentionRecording::threadName)
                .filter(name -> !name.startsWith("JFR "))
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    }

    /** Virtual threads often have no name. */
    private static String threadName(RecordedEvent event) {
        RecordedThread thread = event.getThread();
        return thread == null || thread.getJavaName() == null ? "unnamed" : thread.getJavaName();
    }
}
