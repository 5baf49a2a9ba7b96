package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/**
 * Measures the sides in interleaved rounds: a machine's speed drifts by more than the sides differ,
 * so each round measures every side, and the sides take turns in going first.
 *
 * <p>In each round a side gets a fresh server process, which is warmed up and then measured at each
 * number of connections.
 */
final class Comparison {
    private final Plan plan;
    private final ServerLauncher launcher;
    private final LoadGenerator load;
    private final Cores cores;
    private final Consumer<Sample> progress;

    Comparison(
            Plan plan,
            ServerLauncher launcher,
            LoadGenerator load,
            Cores cores,
            Consumer<Sample> progress) {
        this.plan = plan;
        this.launcher = launcher;
        this.load = load;
        this.cores = cores;
        this.progress = progress;
    }

    Results run() {
        var results = new Results();
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Side side : order(round)) {
                measure(side, round, results);
            }
        }
        return results;
    }

    private List<Side> order(int round) {
        var order = new ArrayList<>(plan.sides());
        Collections.rotate(order, 1 - round);
        return order;
    }

    private void measure(Side side, int round, Results results) {
        try (ServerProcess server = launcher.start(side, cores)) {
            long requests =
                    load.warmUp(server, plan.warmupConnections(), plan.warmupSeconds())
                            .requestsInAll();
            for (int connections : plan.connections()) {
                var measurement =
                        load.run(
                                server,
                                connections,
                                Plan.SETTLE_SECONDS,
                                new LoadGenerator.Window.Seconds(plan.seconds()),
                                plan.syscallSeconds(),
                                () -> {});
                var sample = new Sample(side, round, connections, measurement);
                results.add(sample);
                progress.accept(sample);
                requests += measurement.requestsInAll();
            }
            long ringOperations = server.stop();
            if (side.isOnRings()) {
                checkRingOperations(launcher.workload(), ringOperations, requests, opened());
            }
            results.addTotals(side, ringOperations, requests);
        }
    }

    /** How many connections a server gets in a round. */
    private int opened() {
        return plan.warmupConnections()
                + plan.connections().stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * What went another way is never reported as loom-uring: a virtual thread's request takes at
     * least one operation. A platform thread makes its own system calls for it, and so does what
     * reads and writes without blocking; only accepting a connection is an operation of a ring.
     */
    static void checkRingOperations(
            Workload workload, long ringOperations, long requests, long connections) {
        boolean accepts = workload.onPlatformThreads() || workload.isEventLoop();
        if (ringOperations < (accepts ? connections : requests)) {
            throw new BenchFailure(
                    "%s: %,d ring operations for %,d requests on %,d connections: some went another"
                                    .formatted(
                                            workload.title(), ringOperations, requests, connections)
                            + " way than loom-uring's");
        }
    }
}
