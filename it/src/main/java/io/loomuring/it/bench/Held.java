package io.loomuring.it.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Many connections at once on two carriers: does one fail, how late are answers, and what memory
 * does a connection hold while its reader waits?
 *
 * <p>In each round each side gets a fresh server. It is warmed up by a few connections, which are
 * closed; its memory is the base. Then come the many, and when all of them are idle its memory is
 * read again. The difference is theirs.
 */
final class Held {
    private static final int CARRIERS = 2;
    private static final int WARM_UP_CONNECTIONS = 16;
    private static final int BUFFER_BYTES = 512; // small: what is looked at is all the rest
    private static final double MORE_BYTES_MAX = 256;

    /**
     * A heap of one size, all of it resident from the start, by a collector that leaves nothing to
     * chance: what changes outside of it shows, and what is used of it is known to the byte.
     */
    private static final List<String> OPTIONS =
            List.of(
                    "-XX:ActiveProcessorCount=" + CARRIERS,
                    "-XX:+UseSerialGC",
                    "-Xms512m",
                    "-Xmx512m",
                    "-XX:+AlwaysPreTouch");

    private static final List<String> ARGUMENTS =
            List.of("--buffer", "heap", "--buffer-bytes", String.valueOf(BUFFER_BYTES));

    private final Plan plan;
    private final Path loadProgram;
    private final Function<Workload, ServerLauncher> launchers;
    private final List<Outcome> outcomes = new ArrayList<>();

    Held(Plan plan, Path loadProgram, Function<Workload, ServerLauncher> launchers) {
        this.plan = plan;
        this.loadProgram = loadProgram;
        this.launchers = launchers;
    }

    /**
     * One server's round.
     *
     * @param load of the time before the connections became idle
     * @param outsideBytes resident outside of the Java heap, a connection
     * @param heapBytes on the Java heap after a collection, a connection
     */
    private record Outcome(
            Workload workload,
            Side side,
            Measurement load,
            double outsideBytes,
            double heapBytes,
            long requests,
            long ringOperations) {

        double bytes() {
            return outsideBytes + heapBytes;
        }
    }

    /** Measures; the page. */
    String run(List<Workload> workloads) {
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Workload workload : workloads) {
                for (Side side : plan.sides()) {
                    Outcome outcome = measure(workload, side);
                    outcomes.add(outcome);
                    System.out.printf(
                            "round %d of %d  %-24s %-11s none failed, %,d late, p99 %s us, max %s"
                                    + " us, %s bytes a connection%s%n",
                            round,
                            plan.rounds(),
                            workload.title(),
                            side.label(),
                            outcome.load().late(),
                            Format.figure(outcome.load().p99Micros()),
                            Format.figure(outcome.load().maxMicros()),
                            Format.figure(outcome.bytes()),
                            Progress.remark(outcome.load()));
                }
            }
        }
        String page = page(workloads);
        System.out.println();
        System.out.println(page);
        return page;
    }

    /** Prints the tests' result; the exit code. */
    int report() {
        var checks = new Checks();
        checks.check("no connection failed", true); // the load ends by an error otherwise
        for (Workload workload : outcomes.stream().map(Outcome::workload).distinct().toList()) {
            double more = more(workload);
            if (!Double.isNaN(more)) {
                checks.check(
                        "%s: a connection holds at most %s bytes more than the stock JDK's"
                                .formatted(workload.title(), Format.figure(MORE_BYTES_MAX)),
                        more <= MORE_BYTES_MAX);
            }
        }
        return checks.report();
    }

    private int connections() {
        return plan.connections().getFirst();
    }

    private Outcome measure(Workload workload, Side side) {
        var load = LoadGenerator.unpinned(loadProgram, workload.requests(plan.messageBytes()));
        try (ServerProcess server =
                launchers.apply(workload).startOnAllCores(side, side.label(), OPTIONS, ARGUMENTS)) {
            long requests =
                    load.warmUp(server, WARM_UP_CONNECTIONS, plan.warmupSeconds()).requestsInAll();
            Memory before = Memory.of(server);
            var after = new Memory[1];
            Measurement measurement =
                    load.hold(
                            server,
                            connections(),
                            plan.seconds(),
                            () -> after[0] = Memory.of(server));
            requests += measurement.requestsInAll();
            long ringOperations = server.stop();
            if (side.isOnRings()) {
                Comparison.checkRingOperations(workload, ringOperations, requests, connections());
            }
            return new Outcome(
                    workload,
                    side,
                    measurement,
                    (double) (after[0].residentBytes() - before.residentBytes()) / connections(),
                    (double) (after[0].heapBytes() - before.heapBytes()) / connections(),
                    requests,
                    ringOperations);
        }
    }

    private String page(List<Workload> workloads) {
        var page = new StringBuilder();
        page.append(
                """
                # %,d connections held

                Written by `it/bin/bench --held`; README.md says how it measures. Figures are medians; no
                connection failed.

                """
                        .formatted(connections()));
        Conditions.ofMachine()
                .forEach((name, value) -> page.append("- " + name + ": " + value + "\n"));
        page.append("- options of every JVM: " + String.join(" ", OPTIONS) + "\n");
        page.append("- a connection's buffer: " + BUFFER_BYTES + " bytes, on the heap\n");
        page.append("- rounds, each with fresh servers: " + plan.rounds() + "\n");
        page.append("\n## One request a second each, for %s s\n\n".formatted(plan.seconds()));
        page.append(speed(workloads));
        page.append("\n## Then all idle: bytes a connection\n\n");
        page.append(memory(workloads));
        page.append('\n');
        page.append(
                "Target: a connection of loom-uring's holds at most %s bytes more than the stock JDK's.\n"
                        .formatted(Format.figure(MORE_BYTES_MAX)));
        for (Workload workload : workloads) {
            page.append(
                    "- %s: %s bytes more\n"
                            .formatted(workload.title(), Format.figure(more(workload))));
        }
        return page.toString();
    }

    private Table speed(List<Workload> workloads) {
        var table =
                new Table(
                        "program",
                        "server",
                        "requests/s",
                        "late",
                        "p50 us",
                        "p99 us",
                        "p99.9 us",
                        "max us",
                        "CPU us/request",
                        "others' CPU",
                        "ring operations/request");
        for (Workload workload : workloads) {
            for (Side side : plan.sides()) {
                table.row(
                        workload.title(),
                        side.label(),
                        median(workload, side, outcome -> outcome.load().requestsPerSecond()),
                        "%,.0f"
                                .formatted(
                                        spread(workload, side, outcome -> outcome.load().late())
                                                .median()),
                        median(workload, side, outcome -> outcome.load().p50Micros()),
                        median(workload, side, outcome -> outcome.load().p99Micros()),
                        median(workload, side, outcome -> outcome.load().p999Micros()),
                        median(workload, side, outcome -> outcome.load().maxMicros()),
                        median(workload, side, outcome -> outcome.load().serverCpuMicros()),
                        Format.percent(
                                spread(workload, side, outcome -> outcome.load().othersCores())
                                        .median()),
                        median(
                                workload,
                                side,
                                outcome -> (double) outcome.ringOperations() / outcome.requests()));
            }
        }
        return table;
    }

    private Table memory(List<Workload> workloads) {
        var table =
                new Table(
                        "program",
                        "server",
                        "resident outside the heap",
                        "on the heap",
                        "sum, median",
                        "lowest",
                        "highest");
        for (Workload workload : workloads) {
            for (Side side : plan.sides()) {
                Spread sum = spread(workload, side, Outcome::bytes);
                table.row(
                        workload.title(),
                        side.label(),
                        median(workload, side, Outcome::outsideBytes),
                        median(workload, side, Outcome::heapBytes),
                        Format.figure(sum.median()),
                        Format.figure(sum.min()),
                        Format.figure(sum.max()));
            }
        }
        return table;
    }

    /** What a connection of ours holds more than one of the stock JDK's; NaN if not measured. */
    private double more(Workload workload) {
        return spread(workload, Side.OURS, Outcome::bytes).median()
                - spread(workload, Side.STOCK, Outcome::bytes).median();
    }

    private String median(Workload workload, Side side, ToDoubleFunction<Outcome> figure) {
        return Format.figure(spread(workload, side, figure).median());
    }

    private Spread spread(Workload workload, Side side, ToDoubleFunction<Outcome> figure) {
        return Spread.of(
                outcomes.stream()
                        .filter(outcome -> outcome.workload() == workload && outcome.side() == side)
                        .mapToDouble(figure)
                        .toArray());
    }
}
