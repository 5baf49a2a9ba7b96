package io.loomuring.it.bench;

import io.loomuring.it.bench.stall.TimerProbe;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What a million pending timed parks cost, and how late sleeps end beside one who computes. */
final class Timers {
    private static final int PENDING = 1_000_000;
    private static final int CARRIERS = 2;
    private static final int BUSY = CARRIERS - 1; // one more, and the JDK's wakes nobody
    private static final Duration WAIT = Duration.ofMinutes(2);

    /** All of it fits, so that no collection comes in between. */
    private static final List<String> HEAP =
            List.of("-XX:+UseSerialGC", "-Xms4g", "-Xmx4g", "-Xmn3g");

    private final Plan plan;
    private final Path root;

    /** What the probe prints, round by round: park, unpark, bytes; late by p50, p99, at worst. */
    private final Map<Side, List<double[]>> samples = new EnumMap<>(Side.class);

    Timers(Plan plan, Path root) {
        this.plan = plan;
        this.root = root;
    }

    /** Measures; the files to write by name. */
    Map<String, String> run() {
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Side side : plan.sides()) {
                double[] sample = measure(side);
                samples.computeIfAbsent(side, _ -> new ArrayList<>()).add(sample);
                System.out.printf(
                        "round %d  %-10s park %s ns, unpark %s ns, %s bytes; late by %s us, p99 %s"
                                + " us%n",
                        round,
                        side.label(),
                        Format.figure(sample[0]),
                        Format.figure(sample[1]),
                        Format.figure(sample[2]),
                        micros(sample[3]),
                        micros(sample[4]));
            }
        }
        String page = page();
        System.out.println();
        System.out.println(page);
        return Map.of("timers.md", page);
    }

    private double[] measure(Side side) {
        List<String> command =
                Stall.probe(
                        side,
                        root,
                        CARRIERS,
                        TimerProbe.class,
                        Integer.toString(PENDING),
                        Integer.toString(BUSY));
        command.addAll(1, HEAP);
        Process process = Children.start(command);
        var output = new Output(process.getInputStream(), "output");
        var errors = new Output(process.getErrorStream(), "errors");
        double[] sample =
                Stream.of("PENDING", "LATE")
                        .map(prefix -> Stall.awaitLine(side, prefix, WAIT, output, errors))
                        .flatMap(line -> Stream.of(line.strip().split(" ")))
                        .mapToDouble(Double::parseDouble)
                        .toArray();
        process.destroyForcibly();
        return sample;
    }

    private String page() {
        var page =
                new StringBuilder(
                        """
                        # Timed parks

                        Written by `it/bin/bench --timers`; README.md says how it measures. Lowest and median of the rounds.

                        """);
        Conditions.ofMachine()
                .forEach((name, value) -> page.append("- " + name + ": " + value + "\n"));
        page.append("- carriers: %d, rounds: %d%n".formatted(CARRIERS, plan.rounds()));
        page.append("- options of both: %s%n".formatted(String.join(" ", HEAP)));
        page.append(
                "\n## %,d pending at once: CPU ns and bytes of heap each\n\n".formatted(PENDING));
        var cost = new Table("", "start and park", "median", "unpark and end", "median", "bytes");
        samples.forEach((side, _) ->
                cost.row(
                        side.label(),
                        Format.figure(of(side, 0).min()),
                        Format.figure(of(side, 0).median()),
                        Format.figure(of(side, 1).min()),
                        Format.figure(of(side, 1).median()),
                        Format.figure(of(side, 2).median())));
        page.append(cost);
        page.append(
                "\n"
                    + "## Sleeps of 5 ms beside a thread that computes 50 us and yields: how late,"
                    + " us\n\n");
        var late =
                new Table(
                        "",
                        "p50, lowest",
                        "median",
                        "p99, lowest",
                        "median",
                        "worst of all rounds");
        samples.forEach((side, _) ->
                late.row(
                        side.label(),
                        micros(of(side, 3).min()),
                        micros(of(side, 3).median()),
                        micros(of(side, 4).min()),
                        micros(of(side, 4).median()),
                        micros(of(side, 5).max())));
        page.append(late);
        return page.toString();
    }

    private Spread of(Side side, int figure) {
        return Spread.of(
                samples.get(side).stream().mapToDouble(sample -> sample[figure]).toArray());
    }

    private static String micros(double nanos) {
        return Format.figure(nanos / 1_000);
    }
}
