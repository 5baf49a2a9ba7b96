package io.loomuring.it.bench;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The page of a comparison. */
final class MarkdownReport {
    private final Results results;
    private final Map<String, String> conditions;

    MarkdownReport(Results results, Map<String, String> conditions) {
        this.results = results;
        this.conditions = conditions;
    }

    /**
     * The page.
     *
     * @param chart the picture's file name
     */
    String page(String chart) {
        var page = new StringBuilder();
        page.append("# Echo server: what a request costs\n\n");
        page.append("Written by `it/bin/bench`; README.md says how it measures.\n\n");
        conditions.forEach((name, value) -> page.append("- %s: %s\n".formatted(name, value)));
        page.append("\n![CPU time a request](%s)\n".formatted(chart));
        section(page, "CPU time and system calls a request", cost());
        section(page, "Throughput and latency (medians)", speed());
        section(page, "Against the others", ratios());
        if (results.has(Side.OURS)) {
            section(page, "Targets", targets());
            page.append('\n').append(ringOperations()).append('\n');
        }
        return page.toString();
    }

    private static void section(StringBuilder page, String title, Table table) {
        page.append("\n## ").append(title).append("\n\n").append(table);
    }

    private Table cost() {
        var table =
                new Table(
                        "connections",
                        "server",
                        "CPU us, lowest",
                        "median",
                        "highest",
                        "spread",
                        "user us",
                        "system us",
                        "client's CPU us",
                        "system calls",
                        "others' CPU");
        eachRow((connections, side) -> {
            Spread cpu = spread(side, connections, Measurement::serverCpuMicros);
            table.row(
                    String.valueOf(connections),
                    side.label(),
                    Format.figure(cpu.min()),
                    Format.figure(cpu.median()),
                    Format.figure(cpu.max()),
                    Format.percent((cpu.max() - cpu.min()) / cpu.median()),
                    median(side, connections, Measurement::userMicros),
                    median(side, connections, Measurement::systemMicros),
                    median(side, connections, Measurement::clientCpuMicros),
                    median(side, connections, Measurement::systemCalls),
                    Format.percent(spread(side, connections, Measurement::othersCores).median()));
        });
        return table;
    }

    private Table speed() {
        var table =
                new Table(
                        "connections",
                        "server",
                        "requests/s",
                        "p50 us",
                        "p99 us",
                        "p99.9 us",
                        "max us");
        eachRow((connections, side) ->
                table.row(
                        String.valueOf(connections),
                        side.label(),
                        median(side, connections, Measurement::requestsPerSecond),
                        median(side, connections, Measurement::p50Micros),
                        median(side, connections, Measurement::p99Micros),
                        median(side, connections, Measurement::p999Micros),
                        median(side, connections, Measurement::maxMicros)));
        return table;
    }

    /** Each cell: the lowest by the lowest, then the median by the median. */
    private Table ratios() {
        var table =
                new Table(
                        "connections",
                        "server",
                        "CPU / stock JDK's",
                        "CPU / C's",
                        "CPU / Netty's",
                        "p50 / stock JDK's");
        eachRow((connections, side) ->
                table.row(
                        String.valueOf(connections),
                        side.label(),
                        ratio(side, Side.STOCK, connections, Measurement::serverCpuMicros),
                        ratio(side, Side.C, connections, Measurement::serverCpuMicros),
                        ratio(side, Side.NETTY, connections, Measurement::serverCpuMicros),
                        ratio(side, Side.STOCK, connections, Measurement::p50Micros)));
        return table;
    }

    private Table targets() {
        var table = new Table("loom-uring's", "at most", "measured", "met");
        List<Target> targets = Target.of(results);
        targets.forEach(target ->
                table.row(
                        target.promise(),
                        Format.figure(target.most()),
                        Format.figure(target.measured()),
                        target.met() ? "yes" : "no"));
        return table;
    }

    /** Proof that what is called loom-uring here ran on its rings. */
    private String ringOperations() {
        long operations = results.ringOperations(Side.OURS);
        long requests = results.requests(Side.OURS);
        return "loom-uring reported %,d ring operations for %,d requests (%s a request)."
                .formatted(
                        operations, requests, Format.ratio((double) operations, (double) requests));
    }

    private interface RowWriter {
        void write(int connections, Side side);
    }

    private void eachRow(RowWriter writer) {
        for (int connections : results.connections()) {
            for (Side side : results.sides()) {
                writer.write(connections, side);
            }
        }
    }

    private String ratio(
            Side side, Side of, int connections, ToDoubleFunction<Measurement> figure) {
        Spread value = spread(side, connections, figure);
        Spread base = spread(of, connections, figure);
        return Format.ratio(value.min(), base.min())
                + ", "
                + Format.ratio(value.median(), base.median());
    }

    private String median(Side side, int connections, ToDoubleFunction<Measurement> figure) {
        return Format.figure(spread(side, connections, figure).median());
    }

    private Spread spread(Side side, int connections, ToDoubleFunction<Measurement> figure) {
        return results.spread(side, connections, figure);
    }
}
