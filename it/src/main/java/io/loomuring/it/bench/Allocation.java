package io.loomuring.it.bench;

import java.util.EnumMap;
import java.util.Map;

/**
 * What a request allocates on the Java heap, and whether threads get into each other's way.
 *
 * <p>The server is asked for its total at the start and at the end of the load's window; nothing is
 * sampled. Contention is recorded in a run of its own, since the recording allocates.
 */
final class Allocation {
    private static final long REQUESTS = 1_000_000;

    /** Less than one object in ten requests; idle JVM threads allocate a little. */
    private static final double BYTES_PER_REQUEST_MAX = 1;

    private final Plan plan;
    private final ServerLauncher launcher;
    private final LoadGenerator load;
    private final Cores cores;

    Allocation(Plan plan, ServerLauncher launcher, LoadGenerator load, Cores cores) {
        this.plan = plan;
        this.launcher = launcher;
        this.load = load;
        this.cores = cores;
    }

    private record Outcome(
            long requests,
            double bytesPerRequest,
            long contentionRequests,
            long monitorEnters,
            long threadParks,
            String parker,
            long ringOperations) {}

    /** Prints a table and the tests' result. */
    int run() {
        if (plan.sides().contains(Side.C)) {
            throw new BenchFailure("--allocation: " + Side.C.label() + " has no Java heap");
        }
        var outcomes = new EnumMap<Side, Outcome>(Side.class);
        for (Side side : plan.sides()) {
            System.out.println("measuring " + side.label());
            outcomes.put(side, measure(side));
        }
        System.out.println();
        System.out.println(table(outcomes));

        var checks = new Checks();
        if (outcomes.containsKey(Side.OURS)) {
            Outcome ours = outcomes.get(Side.OURS);
            checks.check(
                    "loom-uring allocates less than %s byte a request"
                            .formatted(Format.figure(BYTES_PER_REQUEST_MAX)),
                    ours.bytesPerRequest() < BYTES_PER_REQUEST_MAX);
            checks.check("no thread of it waits for a monitor", ours.monitorEnters() == 0);
        }
        return checks.report();
    }

    private static Table table(Map<Side, Outcome> outcomes) {
        var table =
                new Table(
                        "server",
                        "requests",
                        "bytes/request",
                        "contended monitors",
                        "parks of platform threads",
                        "most often of",
                        "in requests",
                        "ring operations");
        outcomes.forEach((side, outcome) ->
                table.row(
                        side.label(),
                        "%,d".formatted(outcome.requests()),
                        "%.3f".formatted(outcome.bytesPerRequest()),
                        "%,d".formatted(outcome.monitorEnters()),
                        "%,d".formatted(outcome.threadParks()),
                        outcome.parker(),
                        "%,d".formatted(outcome.contentionRequests()),
                        "%,d".formatted(outcome.ringOperations())));
        return table;
    }

    private Outcome measure(Side side) {
        try (ServerProcess server = launcher.start(side, cores)) {
            int connections = plan.connections().getFirst();
            load.warmUp(server, connections, plan.warmupSeconds());

            var before = new long[1];
            Measurement allocating =
                    load.run(
                            server,
                            connections,
                            Plan.SETTLE_SECONDS,
                            new LoadGenerator.Window.Requests(REQUESTS),
                            0,
                            () -> before[0] = allocatedBytes(server));
            double bytes = allocatedBytes(server) - before[0];

            Measurement contending =
                    load.run(
                            server,
                            connections,
                            Plan.SETTLE_SECONDS,
                            new LoadGenerator.Window.Seconds(plan.seconds()),
                            0,
                            () -> server.ask("contention start", "CONTENTION started"));
            String answer = server.ask("contention stop", "CONTENTION ");
            Map<String, Double> contention = Json.parseNumbers(answer);
            return new Outcome(
                    allocating.requests(),
                    bytes / allocating.requests(),
                    contending.requests(),
                    contention.get("monitor_enters").longValue(),
                    contention.get("thread_parks").longValue(),
                    answer.substring(answer.indexOf('}') + 1).strip(),
                    server.stop());
        }
    }

    private static long allocatedBytes(ServerProcess server) {
        return Long.parseLong(server.ask("allocated", "ALLOCATED "));
    }
}
