package io.loomuring.tls;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What happened in this process, counted since start. */
public final class TlsCounters {
    private TlsCounters() {}

    static final LongAdder HANDSHAKES = new LongAdder(); // begun
    static final LongAdder FAILURES = new LongAdder(); // connections broken by an SSLException
    static final LongAdder TRUNCATED = new LongAdder(); // ends without a close_notify
    private static final Map<KeyOutcome, LongAdder> KEYS = new EnumMap<>(KeyOutcome.class);

    static {
        for (KeyOutcome outcome : KeyOutcome.values()) {
            KEYS.put(outcome, new LongAdder());
        }
    }

    static void count(KeyOutcome outcome) {
        KEYS.get(outcome).increment();
    }

    static long sum(KeyOutcome outcome) {
        return KEYS.get(outcome).sum();
    }

    /**
     * Name to value: handshakes, failures, truncated, and keys.OUTCOME for each direction asked.
     */
    public static Map<String, Long> toMap() {
        var map = new LinkedHashMap<String, Long>();
        map.put("handshakes", HANDSHAKES.sum());
        map.put("failures", FAILURES.sum());
        map.put("truncated", TRUNCATED.sum());
        for (KeyOutcome outcome : KeyOutcome.values()) {
            map.put("keys." + outcome.label(), KEYS.get(outcome).sum());
        }
        return map;
    }
}
