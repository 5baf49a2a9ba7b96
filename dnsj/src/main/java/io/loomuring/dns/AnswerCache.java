package io.loomuring.dns;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Conclusive answers, positive and negative, for as long as they say, within bounds. Reading takes
 * no lock. When it is full, the oldest one that nobody has asked for since it was last passed over
 * goes (CLOCK).
 */
final class AnswerCache {
    /**
     * The limits.
     *
     * @param entriesMax 0: nothing is kept
     * @param ttlMin for answers with records, except those with TTL 0, which are never kept
     * @param ttlMax for answers with records
     * @param negativeTtlMax for answers without
     * @param stale for how long past its time an answer may be given while no server can (RFC 8767)
     */
    record Limits(
            int entriesMax,
            Duration ttlMin,
            Duration ttlMax,
            Duration negativeTtlMax,
            Duration stale) {}

    private static final class Entry {
        final Question question;
        final Answer answer;
        final long expiryNanos;
        volatile boolean used;

        Entry(Question question, Answer answer, long expiryNanos) {
            this.question = question;
            this.answer = answer;
            this.expiryNanos = expiryNanos;
        }
    }

    private final Limits limits;
    private final LongSupplier nanoTime;
    private final Counters counters;
    private final ConcurrentHashMap<Question, Entry> entries = new ConcurrentHashMap<>();
    private final ReentrantLock insertion = new ReentrantLock();
    // guarded by insertion; also holds entries that were replaced, until their turn comes
    private final ArrayDeque<Entry> clock = new ArrayDeque<>();

    AnswerCache(Limits limits, LongSupplier nanoTime, Counters counters) {
        this.limits = limits;
        this.nanoTime = nanoTime;
        this.counters = counters;
    }

    /** An answer whose time has not run out, or null. */
    Answer fresh(Question question) {
        Entry entry = entries.get(question);
        if (entry == null || entry.expiryNanos - nanoTime.getAsLong() <= 0) {
            return null;
        }
        if (!entry.used) {
            entry.used = true;
        }
        return entry.answer;
    }

    /** An answer whose time has run out, but not so long ago that it may not be given; or null. */
    Answer stale(Question question) {
        Entry entry = entries.get(question);
        if (entry == null || !entry.answer.found()) {
            return null;
        }
        long ageNanos = nanoTime.getAsLong() - entry.expiryNanos;
        return ageNanos < limits.stale.toNanos() ? entry.answer : null;
    }

    void put(Question question, Answer answer) {
        long ttl = ttlNanos(answer);
        if (ttl <= 0 || limits.entriesMax == 0) {
            return;
        }
        var entry = new Entry(question, answer, nanoTime.getAsLong() + ttl);
        insertion.lock();
        try {
            while (clock.size() >= limits.entriesMax) {
                makeRoom();
            }
            clock.add(entry);
            entries.put(question, entry);
        } finally {
            insertion.unlock();
        }
    }

    private void makeRoom() {
        Entry oldest = clock.remove();
        boolean current = entries.get(oldest.question) == oldest;
        if (current && oldest.used && oldest.expiryNanos - nanoTime.getAsLong() > 0) {
            oldest.used = false;
            clock.add(oldest);
        } else if (current) {
            entries.remove(oldest.question, oldest);
            counters.evictions.increment();
        }
    }

    private long ttlNanos(Answer answer) {
        if (!answer.conclusive() || answer.ttlSeconds() <= 0) {
            return 0;
        }
        var ttl = Duration.ofSeconds(answer.ttlSeconds());
        if (!answer.found()) {
            return min(ttl, limits.negativeTtlMax).toNanos();
        }
        return min(ttl.compareTo(limits.ttlMin) < 0 ? limits.ttlMin : ttl, limits.ttlMax).toNanos();
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    int size() {
        return entries.size();
    }
}
