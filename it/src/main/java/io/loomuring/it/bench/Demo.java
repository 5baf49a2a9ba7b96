package io.loomuring.it.bench;

import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The stock JDK and loom-uring side by side, for people. */
record Demo(Comparison comparison, Map<String, String> conditions) {

    void run() {
        System.out.println(
                """
                One blocking HTTP server (HttpServer.java: sockets, streams, a virtual thread for each
                connection), the same class file, run by the stock JDK and by the JDK with
                -javaagent:loom-uring.jar. CPU time, system calls and the rest are a request's; every
                answer is checked byte by byte.
                """);
        Results results = comparison.run();
        System.out.println();
        conditions.forEach((name, value) -> System.out.println(name + ": " + value));
        for (int connections : results.connections()) {
            System.out.println();
            System.out.print(table(results, connections));
        }
        System.out.println();
        System.out.println(results.ringOperations());
    }

    private static Table table(Results results, int connections) {
        String title = connections == 1 ? "1 connection" : connections + " connections";
        var table = new Table(title, "stock JDK", "with loom-uring", "ratio");
        row(table, "CPU us/request", results, connections, Measurement::serverCpuMicros);
        row(table, "system calls/request", results, connections, Measurement::systemCalls);
        row(table, "requests/s", results, connections, Measurement::requestsPerSecond);
        row(table, "p50 latency, us", results, connections, Measurement::p50Micros);
        row(table, "p99 latency, us", results, connections, Measurement::p99Micros);
        return table;
    }

    private static void row(
            Table table,
            String what,
            Results results,
            int connections,
            ToDoubleFunction<Measurement> figure) {
        double stock = results.spread(Side.STOCK, connections, figure).median();
        double ours = results.spread(Side.OURS, connections, figure).median();
        table.row(what, Format.figure(stock), Format.figure(ours), Format.ratio(ours, stock));
    }
}
