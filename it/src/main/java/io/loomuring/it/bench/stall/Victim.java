package io.loomuring.it.bench.stall;

import java.util.concurrent.atomic.AtomicLong;

/** What virtual threads wait for that may be delayed. */
public enum Victim {
    RECEIVE("receive"),
    ACCEPT("accept"),
    SLEEP("sleep"),
    HAND_OFF("lock hand-off");

    private static final long NONE = -1;

    private final String label;

    @SuppressWarnings("ImmutableEnumChecker") // it counts, for the whole program
    private final AtomicLong worstNanos = new AtomicLong(NONE);

    Victim(String label) {
        this.label = label;
    }

    /** What it waits for. */
    public String label() {
        return label;
    }

    /** By a thread that goes on now, and could have done so since then. */
    void couldGoOnSince(long nanoTime) {
        long delay = System.nanoTime() - nanoTime;
        if (delay > worstNanos.getPlain()) {
            worstNanos.accumulateAndGet(delay, Math::max);
        }
    }

    /** Whether none has gone on since the last call of {@link #takeWorstNanos}. */
    boolean isSilent() {
        return worstNanos.get() == NONE;
    }

    /** The worst delay since the last call. */
    long takeWorstNanos() {
        return worstNanos.getAndSet(NONE);
    }
}
