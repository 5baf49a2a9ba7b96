package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** The page of a comparison. */
final class MarkdownReport {
    private final String title;
    private final Results results;
    private final Map<String, String> conditions;
    private final List<Target> targets;

    MarkdownReport(
            String title, Results results, Map<String, String> conditions, List<Target> targets) {
        this.title = title;
        this.results = results;
        this.conditions = conditions;
        this.targets = targets;
    }

    /**
     * The page.
     *
     * @param chart the picture's file name
     */
    String page(String chart) {
        var page = new StringBuilder();
        page.append("# %s: what a request costs\n\n".formatted(title));
        page.append("Written by `it/bin/bench`; README.md says how it measures.\n\n");
        conditions.forEach((name, value) -> page.append("- %s: %s\n".formatted(name, value)));
        page.append("\n![CPU time a request](%s)\n".formatted(chart));
        section(page, "CPU time and system calls a request", cost());
        section(page, "Throughput and latency (medians)", speed());
        section(page, "Against the others", ratios());
        if (results.sides().contains(Side.SQPOLL)) {
            section(page, "The kernel's polling thread", poller());
        }
        if (!targets.isEmpty()) {
            section(page, "Targets", targets());
        }
        page.append('\n').append(results.ringOperations()).append('\n');
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
        List<Side> others =
                Stream.of(Side.STOCK, Side.C, Side.NETTY)
                        .filter(results.sides()::contains)
                        .toList();
        var headers = new ArrayList<>(List.of("connections", "server"));
        others.forEach(other -> headers.add("CPU / %s's".formatted(other.label())));
        headers.add("p50 / %s's".formatted(Side.STOCK.label()));
        var table = new Table(headers.toArray(String[]::new));
        eachRow((connections, side) -> {
            var cells = new ArrayList<>(List.of(String.valueOf(connections), side.label()));
            others.forEach(other ->
                    cells.add(ratio(side, other, connections, Measurement::serverCpuMicros)));
            cells.add(ratio(side, Side.STOCK, connections, Measurement::p50Micros));
            table.row(cells.toArray(String[]::new));
        });
        return table;
    }

    /** What of the CPU time above the thread took that submits in the server's stead. */
    private Table poller() {
        var table = new Table("connections", "CPU us, median", "of it the thread's", "share");
        for (int connections : results.connections()) {
            double all = spread(Side.SQPOLL, connections, Measurement::serverCpuMicros).median();
            double poller = spread(Side.SQPOLL, connections, Measurement::pollerCpuMicros).median();
            table.row(
                    String.valueOf(connections),
                    Format.figure(all),
                    Format.figure(poller),
                    Format.percent(poller / all));
        }
        return table;
    }

    private Table targets() {
        var table = new Table("loom-uring's", "at most", "measured", "met");
        targets.forEach(target ->
                table.row(
                        target.promise(),
                        Format.figure(target.most()),
                        Format.figure(target.measured()),
                        target.met() ? "yes" : "no"));
        return table;
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
