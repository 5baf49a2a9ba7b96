package io.loomuring.it.bench;

import io.loomuring.it.bench.stall.Hog;
import io.loomuring.it.bench.stall.StallProbe;
import io.loomuring.it.bench.stall.Victim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How late virtual threads go on while others keep their carriers: on one carrier with one of
 * these, and on two with one, two and three.
 *
 * <p>A run may be for some kinds of hogs only: samples of the others are read from the last page's
 * samples, so that a machine need not be quiet for half an hour.
 */
final class Stall {
    private static final List<Integer> VICTIMS = List.of(80, 2_000);
    private static final long WORST_MICROS_MAX = 50_000;
    private static final long WORST_MICROS_MAX_MANY = 100_000; // with the larger number of victims
    private static final Duration ROUND_WAIT = Duration.ofSeconds(60);
    private static final String SAMPLES = "stall.csv";
    private static final String OPERATIONS = "loom-uring: ring operations:";

    /** What is run, on both sides. */
    private record Case(List<Hog> hogs, int carriers, int victims) {
        String key(Side side) {
            return "%s,%d,%d,%s".formatted(hogNames(" "), carriers, victims, side);
        }

        String hogNames(String between) {
            return hogs.stream().map(Hog::name).collect(Collectors.joining(between));
        }

        String label() {
            return hogs.stream().distinct().count() == 1
                    ? hogs.size() + ": " + hogs.getFirst().label()
                    : hogs.stream().map(Hog::label).collect(Collectors.joining(", "));
        }

        long limitMicros() {
            return victims == VICTIMS.getFirst() ? WORST_MICROS_MAX : WORST_MICROS_MAX_MANY;
        }
    }

    private final Plan plan;
    private final Path root;
    private final Path directory;
    private final List<Hog> kinds;

    /** The worst delay of each kind of victim in microseconds, round by round, by a case's key. */
    private final Map<String, List<long[]>> samples = new LinkedHashMap<>();

    private long ringOperations;

    Stall(Plan plan, Path root, Path directory, List<Hog> kinds) {
        this.plan = plan;
        this.root = root;
        this.directory = directory;
        this.kinds = kinds;
    }

    /** Measures; the files to write by name. */
    Map<String, String> run() {
        readSamples();
        for (Hog kind : kinds) {
            for (Case one : casesOf(kind)) {
                for (Side side : plan.sides()) {
                    measure(one, side);
                }
            }
        }
        String page = page();
        System.out.println();
        System.out.println(page);
        return Map.of("stall.md", page, SAMPLES, csv());
    }

    private static List<Case> casesOf(Hog kind) {
        List<Case> cases = new ArrayList<>();
        for (int victims : VICTIMS) {
            cases.add(new Case(List.of(kind), 1, victims));
            for (int hogs = 1; hogs <= 3; hogs++) {
                cases.add(new Case(Collections.nCopies(hogs, kind), 2, victims));
            }
        }
        if (kind == Hog.COMPUTES) {
            for (int victims : VICTIMS) {
                cases.add(
                        new Case(
                                List.of(Hog.COMPUTES, Hog.OPENS_FIFO, Hog.PARKS_IN_UPCALL),
                                2,
                                victims));
            }
        }
        return cases;
    }

    private void measure(Case one, Side side) {
        Process process = Children.start(command(one, side));
        var output = new Output(process.getInputStream(), "output");
        var errors = new Output(process.getErrorStream(), "errors");
        List<long[]> rounds = new ArrayList<>();
        for (int round = 0; round < plan.rounds(); round++) {
            String line = awaitLine(side, "WORST", ROUND_WAIT, output, errors);
            rounds.add(Stream.of(line.split(" ")).mapToLong(Long::parseLong).toArray());
        }
        if (side.isOnRings()) {
            long operations =
                    errors.awaitLine(OPERATIONS, ROUND_WAIT).map(Long::parseLong).orElse(0L);
            if (operations == 0) {
                throw new BenchFailure("loom-uring reported no ring operations");
            }
            ringOperations += operations;
        }
        process.destroyForcibly();
        samples.put(one.key(side), rounds);
        System.out.printf(
                "%-60s %d carriers  %,5d victims  %-10s worst %s ms%n",
                one.label(),
                one.carriers(),
                one.victims(),
                side.label(),
                rounds.stream()
                        .map(round -> millis((double) Arrays.stream(round).max().orElseThrow()))
                        .collect(Collectors.joining(", ")));
    }

    /** What follows the prefix on the next such line of a probe. */
    static String awaitLine(Side side, String prefix, Duration wait, Output output, Output errors) {
        return output.awaitLine(prefix, wait)
                .orElseThrow(() ->
                        new BenchFailure(side.label() + " ended too early: " + errors.text()));
    }

    private List<String> command(Case one, Side side) {
        List<String> command =
                probe(
                        side,
                        root,
                        one.carriers(),
                        StallProbe.class,
                        Integer.toString(one.victims()),
                        Integer.toString(plan.rounds()),
                        Long.toString(Math.round(plan.seconds() * 1_000)));
        one.hogs().forEach(hog -> command.add(hog.name()));
        return command;
    }

    /** The command that runs a program on so many carriers of a side. */
    static List<String> probe(
            Side side, Path root, int carriers, Class<?> program, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Djdk.virtualThreadScheduler.parallelism=" + carriers);
        command.add("-Djava.net.preferIPv4Stack=true");
        command.add("--enable-native-access=ALL-UNNAMED");
        if (side.isOnRings()) {
            command.add("-javaagent:" + root.resolve("loom-uring/target/loom-uring.jar"));
            command.add("-Dloomuring.mode=required");
            command.add("-Dloomuring.report=true");
        }
        command.add("-cp");
        command.add(root.resolve("it/target/classes").toString());
        command.add(program.getName());
        command.addAll(List.of(arguments));
        return command;
    }

    // ---- samples ----

    private void readSamples() {
        Path file = directory.resolve(SAMPLES);
        if (!Files.exists(file)) {
            return;
        }
        try {
            for (String line : Files.readAllLines(file)) {
                int end = line.indexOf(';');
                samples.put(
                        line.substring(0, end),
                        Stream.of(line.substring(end + 1).split(";"))
                                .map(round ->
                                        Stream.of(round.split(" "))
                                                .mapToLong(Long::parseLong)
                                                .toArray())
                                .toList());
            }
        } catch (IOException e) {
            throw new BenchFailure("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private String csv() {
        return samples.entrySet().stream()
                .map(entry ->
                        entry.getKey()
                                + entry.getValue().stream()
                                        .map(round ->
                                                Arrays.stream(round)
                                                        .mapToObj(Long::toString)
                                                        .collect(Collectors.joining(" ", ";", "")))
                                        .collect(Collectors.joining())
                                + "\n")
                .collect(Collectors.joining());
    }

    // ---- the page ----

    private String page() {
        var page = new StringBuilder();
        page.append(
                """
                # Who is delayed by threads that keep their carriers

                Written by `it/bin/bench --stall`; README.md says how it measures. Figures are milliseconds: the worst
                delay of any of the victims, of all rounds and the median of the rounds'.

                """);
        Conditions.ofMachine()
                .forEach((name, value) -> page.append("- " + name + ": " + value + "\n"));
        page.append("- processors: " + Runtime.getRuntime().availableProcessors() + "\n");
        page.append("- rounds: " + plan.rounds() + ", hogs of " + plan.seconds() + " s\n");
        for (Hog kind : Hog.values()) {
            List<Case> measured = casesOf(kind).stream().filter(this::isMeasured).toList();
            if (!measured.isEmpty()) {
                page.append("\n## A thread " + kind.label() + "\n\n").append(table(measured));
            }
        }
        return page.toString();
    }

    private boolean isMeasured(Case one) {
        return plan.sides().stream().anyMatch(side -> samples.containsKey(one.key(side)));
    }

    private Table table(List<Case> cases) {
        var headers = new ArrayList<>(List.of("carriers", "hogs", "victims"));
        for (Side side : plan.sides()) {
            headers.add(side.label() + ", worst");
            headers.add("median");
        }
        for (Victim victim : Victim.values()) {
            headers.add(Side.OURS.label() + ", " + victim.label());
        }
        var table = new Table(headers.toArray(String[]::new));
        for (Case one : cases) {
            var cells = new ArrayList<String>();
            cells.add(Integer.toString(one.carriers()));
            cells.add(
                    one.hogs().stream().distinct().count() == 1
                            ? Integer.toString(one.hogs().size())
                            : one.label());
            cells.add("%,d".formatted(one.victims()));
            for (Side side : plan.sides()) {
                Spread worst = worst(one, side);
                cells.add(millis(worst.max()));
                cells.add(millis(worst.median()));
            }
            for (int i = 0; i < Victim.values().length; i++) {
                int victim = i;
                cells.add(
                        millis(
                                rounds(one, Side.OURS).stream()
                                        .mapToDouble(round -> round[victim])
                                        .max()
                                        .orElse(Double.NaN)));
            }
            table.row(cells.toArray(String[]::new));
        }
        return table;
    }

    private List<long[]> rounds(Case one, Side side) {
        return samples.getOrDefault(one.key(side), List.of());
    }

    /** Of all victims, round by round. */
    private Spread worst(Case one, Side side) {
        return Spread.of(
                rounds(one, side).stream()
                        .mapToDouble(round -> Arrays.stream(round).max().orElseThrow())
                        .toArray());
    }

    private static String millis(double micros) {
        return Format.figure(micros / 1_000);
    }

    /** Prints the tests' result; the exit code. */
    int report() {
        var checks = new Checks();
        for (Hog kind : kinds) {
            for (Case one : casesOf(kind)) {
                double worst = worst(one, Side.OURS).max();
                if (!Double.isNaN(worst)) {
                    checks.check(
                            "%s, %d carriers, %,d victims: at most %s ms late (%s)"
                                    .formatted(
                                            one.label(),
                                            one.carriers(),
                                            one.victims(),
                                            millis((double) one.limitMicros()),
                                            millis(worst)),
                            worst <= one.limitMicros());
                }
            }
        }
        System.out.printf("loom-uring reported %,d ring operations.%n", ringOperations);
        return checks.report();
    }
}
