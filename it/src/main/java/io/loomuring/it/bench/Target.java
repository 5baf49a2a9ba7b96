package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What loom-uring promises of a comparison, and what became of it.
 *
 * @param most the largest value that keeps the promise
 */
record Target(String promise, double most, double measured) {

    boolean met() {
        return measured <= most;
    }

    /** The promises that these results can tell about. */
    static List<Target> of(Results results) {
        var targets = new ArrayList<Target>();
        for (int connections : List.of(16, 128)) {
            String where = at(connections);
            ToDoubleFunction<Measurement> cpu = Measurement::serverCpuMicros;
            targets.add(lowest(results, Side.STOCK, connections, cpu, "CPU" + where, 0.70));
            targets.add(lowest(results, Side.C, connections, cpu, "CPU" + where, 1.10));
            targets.add(lowest(results, Side.NETTY, connections, cpu, "CPU" + where, 1.05));
        }
        targets.add(
                lowest(
                        results,
                        Side.STOCK,
                        1,
                        Measurement::p50Micros,
                        "p50 latency" + at(1),
                        1.10));
        targets.add(systemCalls(results, 1, 2.1));
        targets.add(systemCalls(results, 16, 0.6));
        targets.add(systemCalls(results, 128, 0.2));
        targets.removeIf(target -> Double.isNaN(target.measured()));
        return targets;
    }

    /** The same for a server whose requests no ring can make cheaper. */
    static List<Target> cpuOfStock(Results results, double most) {
        return results.connections().stream()
                .map(connections ->
                        lowest(
                                results,
                                Side.STOCK,
                                connections,
                                Measurement::serverCpuMicros,
                                "CPU" + at(connections),
                                most))
                .filter(target -> !Double.isNaN(target.measured()))
                .toList();
    }

    private static String at(int connections) {
        return " at " + connections + (connections == 1 ? " connection" : " connections");
    }

    private static Target lowest(
            Results results,
            Side other,
            int connections,
            ToDoubleFunction<Measurement> figure,
            String what,
            double most) {
        double ours = results.spread(Side.OURS, connections, figure).min();
        double theirs = results.spread(other, connections, figure).min();
        return new Target(what + ", of " + other.label() + "'s", most, ours / theirs);
    }

    private static Target systemCalls(Results results, int connections, double most) {
        double measured = results.spread(Side.OURS, connections, Measurement::systemCalls).median();
        return new Target("system calls/request" + at(connections), most, measured);
    }
}
