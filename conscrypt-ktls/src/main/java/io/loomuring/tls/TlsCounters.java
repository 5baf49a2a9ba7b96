package io.loomuring.tls;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What happened in this process, counted since start. */
public final class TlsCounters {
    private TlsCounters() {}

    static final LongAdder HANDSHAKES = new LongAdder(); // begun
    static final LongAdder FAILURES = new LongAdder(); // connections broken by an SSLException
    static final LongAdder TRUNCATED = new LongAdder(); // ends without a close_notify
    private static final LongAdder[] KEYS = new LongAdder[KeyOutcome.values().length];

    static {
        for (int i = 0; i < KEYS.length; i++) {
            KEYS[i] = new LongAdder();
        }
    }

    static void count(KeyOutcome outcome) {
        KEYS[outcome.ordinal()].increment();
    }

    static long sum(KeyOutcome outcome) {
        return KEYS[outcome.ordinal()].sum();
    }

    /** Name to value: handshakes, failures, truncated, and keys.OUTCOME for each direction asked. */
    public static Map<String, Long> toMap() {
        var map = new LinkedHashMap<String, Long>();
        map.put("handshakes", HANDSHAKES.sum());
        map.put("failures", FAILURES.sum());
        map.put("truncated", TRUNCATED.sum());
        for (KeyOutcome outcome : KeyOutcome.values()) {
            map.put("keys." + outcome.label(), KEYS[outcome.ordinal()].sum());
        }
        return map;
    }
}
