package io.loomuring.it.bench;

import java.util.List;

/**
 * What a comparison measures.
 *
 * @param warmupSeconds load on a fresh server before anything is measured
 * @param seconds the window in which CPU time, throughput and latency are measured
 * @param syscallSeconds the window after it in which system calls are counted
 */
record Plan(
        List<Side> sides,
        List<Integer> connections,
        int rounds,
        int messageBytes,
        double warmupSeconds,
        double seconds,
        double syscallSeconds) {

    /** Load on fresh connections before each window: the first requests find cold caches. */
    static final double SETTLE_SECONDS = 0.5;

    /** JIT compilers get their warm-up where most operations of a turn are batched. */
    int warmupConnections() {
        return connections.stream().filter(count -> count <= 128).max(Integer::compare).orElse(128);
    }
}
