package io.loomuring.dns;

import java.util.concurrent.atomic.LongAdder;

/** What has happened since the start; read as {@link Statistics}. */
final class Counters {
    final LongAdder lookups = new LongAdder();
    final LongAdder hits = new LongAdder();
    final LongAdder negativeHits = new LongAdder();
    final LongAdder staleHits = new LongAdder();
    final LongAdder shared = new LongAdder();
    final LongAdder queries = new LongAdder();
    final LongAdder tcpQueries = new LongAdder();
    final LongAdder tcpConnections = new LongAdder();
    final LongAdder truncated = new LongAdder();
    final LongAdder rejected = new LongAdder();
    final LongAdder timeouts = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder evictions = new LongAdder();
    final LongAdder reloads = new LongAdder();

    Statistics read(int cached) {
        return new Statistics(
                lookups.sum(),
                hits.sum(),
                negativeHits.sum(),
                staleHits.sum(),
                shared.sum(),
                queries.sum(),
                tcpQueries.sum(),
                tcpConnections.sum(),
                truncated.sum(),
                rejected.sum(),
                timeouts.sum(),
                failures.sum(),
                evictions.sum(),
                reloads.sum(),
                cached);
    }
}
