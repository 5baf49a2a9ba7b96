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
    static final LongAdder KEY_UPDATES = new LongAdder(); // of either side, the kernel's part
    static final LongAdder TICKETS_DROPPED = new LongAdder(); // came when the kernel received
    private static final Map<KeyOutcome, LongAdder> KEYS = adders(KeyOutcome.class);
    private static final Map<OffloadOutcome, LongAdder> SEND = adders(OffloadOutcome.class);
    private static final Map<OffloadOutcome, LongAdder> RECEIVE = adders(OffloadOutcome.class);

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> type) {
        var adders = new EnumMap<E, LongAdder>(type);
        for (E outcome : type.getEnumConstants()) {
            adders.put(outcome, new LongAdder());
        }
        return adders;
    }

    static void count(KeyOutcome outcome) {
        KEYS.get(outcome).increment();
    }

    static void count(KeyCapture.Direction direction, OffloadOutcome outcome) {
        (direction == KeyCapture.Direction.SEND ? SEND : RECEIVE).get(outcome).increment();
    }

    static long sum(KeyCapture.Direction direction, OffloadOutcome outcome) {
        return (direction == KeyCapture.Direction.SEND ? SEND : RECEIVE).get(outcome).sum();
    }

    static long sum(KeyOutcome outcome) {
        return KEYS.get(outcome).sum();
    }

    /**
     * Name to value: handshakes, failures, truncated, keyUpdates, ticketsDropped; keys.OUTCOME for
     * each direction asked; send.OUTCOME and receive.OUTCOME for each connection.
     */
    public static Map<String, Long> toMap() {
        var map = new LinkedHashMap<String, Long>();
        map.put("handshakes", HANDSHAKES.sum());
        map.put("failures", FAILURES.sum());
        map.put("truncated", TRUNCATED.sum());
        map.put("keyUpdates", KEY_UPDATES.sum());
        map.put("ticketsDropped", TICKETS_DROPPED.sum());
        for (KeyOutcome outcome : KeyOutcome.values()) {
            map.put("keys." + outcome.label(), KEYS.get(outcome).sum());
        }
        for (OffloadOutcome outcome : OffloadOutcome.values()) {
            map.put("send." + outcome.label(), SEND.get(outcome).sum());
            map.put("receive." + outcome.label(), RECEIVE.get(outcome).sum());
        }
        return map;
    }
}
