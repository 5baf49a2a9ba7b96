package io.loomuring.it.soak;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

import java.net.UnknownHostException;
import java.nio.file.FileSystemException;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;

/** What the streams of one kind did. */
final class Tally {
    private static final long LONGEST_MICROS = TimeUnit.MINUTES.toMicros(2);
    private static final int DIGITS = 3;

    final LongAdder acknowledged = new LongAdder();
    final LongAdder asked = new LongAdder(); // requests of HTTP that may have come
    private final Recorder latencies = new Recorder(LONGEST_MICROS, DIGITS);
    private final LongAccumulator slowestFailureNanos = new LongAccumulator(Math::max, 0);
    private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();

    void done(long nanos) {
        acknowledged.increment();
        latencies.recordValue(Math.min(LONGEST_MICROS, nanos / 1000));
    }

    void failed(Exception e, long nanos) {
        slowestFailureNanos.accumulate(nanos);
        errors.computeIfAbsent(nameOf(e), _ -> new LongAdder()).increment();
    }

    /** The type; what it says as well, where that doesn't name who it was about. */
    private static String nameOf(Exception e) {
        if (e instanceof SQLException sql) {
            Throwable cause = sql.getCause();
            return "PSQLException "
                    + sql.getSQLState()
                    + (cause == null ? "" : " by " + cause.getClass().getSimpleName());
        }
        String type = e.getClass().getSimpleName();
        return switch (e) {
            case UnknownHostException _ -> "UnknownHostException"; // or a kind of it
            case FileSystemException file -> type + ": " + file.getReason();
            default -> {
                String message = e.getMessage();
                yield message == null
                        ? type
                        : type + ": " + message.replaceAll(".*\\((.*)\\)", "$1");
            }
        };
    }

    /** Since the last call, in microseconds. */
    Histogram latencies() {
        return latencies.getIntervalHistogram();
    }

    /** Since the last call. */
    long slowestFailureMillis() {
        return TimeUnit.NANOSECONDS.toMillis(slowestFailureNanos.getThenReset());
    }

    Map<String, Long> errors() {
        var counts = new TreeMap<String, Long>();
        errors.forEach((name, count) -> counts.put(name, count.sum()));
        return counts;
    }
}
