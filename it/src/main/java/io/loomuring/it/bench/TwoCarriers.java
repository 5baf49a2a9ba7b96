package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Does work spread over the carriers? All connections come from one accept loop, so on one carrier,
 * and every request burns CPU: two carriers must serve nearly twice as many, and must owe that to
 * stealing. Other processes spoil this: two carriers get two threads' share of a busy machine.
 */
final class TwoCarriers {
    private static final double SPEEDUP_MIN = 1.7;
    private static final int BURN_MICROS = 200;

    private enum Variant {
        ONE("1 carrier", 1, "on"),
        TWO("2 carriers", 2, "on"),
        TWO_WITHOUT_STEALING("2 carriers, no stealing", 2, "off");

        private final String label;
        private final int carriers;
        private final String steal;

        Variant(String label, int carriers, String steal) {
            this.label = label;
            this.carriers = carriers;
            this.steal = steal;
        }

        private List<String> options() {
            return List.of("-Dloomuring.carriers=" + carriers, "-Dloomuring.steal=" + steal);
        }
    }

    private final Plan plan;
    private final ServerLauncher launcher;
    private final LoadGenerator load;
    private final Map<Variant, List<Double>> throughput = new EnumMap<>(Variant.class);
    private long ringOperations;

    TwoCarriers(Plan plan, ServerLauncher launcher, LoadGenerator load) {
        this.plan = plan;
        this.launcher = launcher;
        this.load = load;
    }

    /** Prints a table and the tests' result. */
    int run() {
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Variant variant : Variant.values()) {
                Measurement measurement = measure(variant);
                throughput
                        .computeIfAbsent(variant, key -> new ArrayList<>())
                        .add(measurement.requestsPerSecond());
                System.out.printf(
                        "round %d  %-24s %s requests/s%s%n",
                        round,
                        variant.label,
                        Format.figure(measurement.requestsPerSecond()),
                        Progress.remark(measurement));
            }
        }
        System.out.println();
        System.out.println(table());
        System.out.printf("loom-uring reported %,d ring operations.%n", ringOperations);

        var checks = new Checks();
        checks.check(
                "2 carriers serve at least %.1f times what 1 does".formatted(SPEEDUP_MIN),
                speedup(Variant.TWO) >= SPEEDUP_MIN);
        checks.check(
                "without stealing they do not",
                speedup(Variant.TWO_WITHOUT_STEALING) < SPEEDUP_MIN);
        return checks.report();
    }

    private Measurement measure(Variant variant) {
        var burn = List.of("--burn-micros", String.valueOf(BURN_MICROS));
        try (ServerProcess server =
                launcher.startOnAllCores(Side.OURS, variant.label, variant.options(), burn)) {
            int connections = plan.connections().getFirst();
            var window = new LoadGenerator.Window.Seconds(plan.seconds());
            var measurement =
                    load.run(server, connections, plan.warmupSeconds(), window, 0, () -> {});
            ringOperations += server.stop();
            return measurement;
        }
    }

    private Table table() {
        var table =
                new Table("loom-uring with", "requests/s, median", "lowest", "highest", "ratio");
        for (Variant variant : Variant.values()) {
            Spread spread = spread(variant);
            table.row(
                    variant.label,
                    Format.figure(spread.median()),
                    Format.figure(spread.min()),
                    Format.figure(spread.max()),
                    Format.figure(speedup(variant)));
        }
        return table;
    }

    private double speedup(Variant variant) {
        return spread(variant).median() / spread(Variant.ONE).median();
    }

    private Spread spread(Variant variant) {
        return Spread.of(
                throughput.get(variant).stream().mapToDouble(Double::doubleValue).toArray());
    }
}
