package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.bench.Checks;
import io.loomuring.it.bench.Conditions;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;

/** The command line of {@code it/bin/soak}, which builds everything and then starts this. */
@Command(
        name = "it/bin/soak",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {
            "Everything at once, for a while: numbered and checked exchanges over channels,"
                    + " sockets, TLS, HTTP, DNS, PostgreSQL and files, between two JVMs with two"
                    + " carriers each; one in a few hundred is given up in its midst.",
            "",
            "In the end nothing may be lost, doubled, late, or still held; heap, resident memory,"
                    + " descriptors and operation slots must be flat over the last half.",
            ""
        })
final class Soak implements Callable<Integer> {
    private static final int TIMEOUT_MILLIS = 5_000; // none, even on a machine with other work
    private static final int SABOTAGED_MILLIS = 1_000; // what hangs is found sooner
    private static final int THINK_MICROS = 4_000;
    private static final int IMPATIENCE = 300;
    private static final int SAMPLES = 60; // enough for a line, few enough to cost nothing
    private static final Duration SAMPLE_MIN = Duration.ofMillis(200);

    /**
     * What is alive at a moment varies by as much. What each exchange would forget, 16 bytes at
     * least, is more in two minutes of a few thousand a second; what each connection would, more in
     * twenty.
     */
    private static final double HEAP_RISE_MAX = 2 << 20;

    /** The same, and what the JVM's compilers go on to make, and hold while they do. */
    private static final double RESIDENT_RISE_MAX = 16 << 20;

    /** How many are open at a moment varies by a few; what is forgotten adds up. */
    private static final double COUNT_RISE_MAX = 3;

    /** What the workload's own impatience lets it have; everything else is wrong. */
    private static final Pattern EXPECTED =
            Pattern.compile(
                    "(channel: (Asynchronous|)Clos.*Exception"
                            + "|(socket|proxied|tls): SocketTimeoutException: Read timed out)");

    @Option(names = "--minutes", paramLabel = "N", description = "How long; default 20.")
    private double minutes = 20;

    @Option(names = "--seed", paramLabel = "N", description = "Of all that is random; printed.")
    private long seed = System.nanoTime();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where soak.csv, soak.svg and soak.md go.")
    private Path out = Path.of("it/target/reliability");

    @SuppressWarnings("unused") // picocli acts on it
    @Option(names = "--help", usageHelp = true, description = "This text.")
    private boolean help;

    private final List<String> options; // more ones of the workload's JVM
    private final Checks checks = new Checks();
    private final Series series = new Series();
    private final List<String> findings = new ArrayList<>();

    Soak() {
        this(List.of());
    }

    private static final int MESSAGE_MAX = 500; // all of it goes to the error stream

    private Soak(List<String> options) {
        this.options = options;
    }

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT);
        System.exit(new CommandLine(new Soak()).execute(arguments));
    }

    /** A short one of a workload in which something is broken on purpose; what it found wrong. */
    static List<String> findings(double minutes, Path out, List<String> options) throws Exception {
        var soak = new Soak(options);
        soak.minutes = minutes;
        soak.out = out;
        int exit = soak.call();
        if ((exit == 0) != soak.findings.isEmpty()) {
            throw new AssertionError("exit " + exit + " with " + soak.findings);
        }
        return soak.findings;
    }

    @Override
    public Integer call() throws Exception {
        System.out.println("soak: --seed " + seed);
        Path folder = Files.createTempDirectory("soak");
        try (Place place = Place.of(folder);
                Scene scene =
                        Scene.start(
                                folder,
                                place,
                                new Scene.Plan(
                                        options.isEmpty() ? TIMEOUT_MILLIS : SABOTAGED_MILLIS,
                                        THINK_MICROS,
                                        IMPATIENCE,
                                        seed,
                                        options,
                                        Scene.Plan.NOTHING,
                                        options.isEmpty()))) {
            if (scene.postgres() == null && options.isEmpty()) {
                checks.skip("transactions", "PostgreSQL is not installed");
            }
            long exchanges = run(scene);
            for (String side : List.of("workload", "peer")) {
                checkFlat(side, Status.HEAP_BYTES, HEAP_RISE_MAX);
                checkFlat(side, Status.RESIDENT_BYTES, RESIDENT_RISE_MAX);
                checkFlat(side, Status.DESCRIPTORS, COUNT_RISE_MAX);
                checkFlat(side, Status.SLOTS, COUNT_RISE_MAX);
            }
            finish(scene, exchanges);
        } finally {
            Folders.delete(folder.toFile());
        }
        return checks.report();
    }

    /** Lets it run and measures; how many exchanges there were. */
    private long run(Scene scene) throws InterruptedException {
        long start = System.nanoTime();
        long length = (long) (minutes * Duration.ofMinutes(1).toNanos());
        long step = Math.max(SAMPLE_MIN.toNanos(), length / SAMPLES);
        long exchanges = 0;
        scene.begin();
        scene.interval();
        long last = start;
        while (last - start < length && scene.complaints().isEmpty()) {
            Thread.sleep(Duration.ofNanos(step));
            Map<String, Long> interval = scene.interval();
            long now = System.nanoTime();
            exchanges += interval.get("count");
            series.at((now - start) / 1e9);
            series.add("exchangesPerSecond", interval.get("count") / ((now - last) / 1e9));
            for (String percentile : List.of("p50", "p99", "p999", "max")) {
                series.add(percentile + "Micros", interval.get(percentile));
            }
            series.add("failures", interval.get("failures"));
            List<Map<String, Long>> amounts = scene.amounts(); // after a collection of garbage
            amounts.get(0).forEach((name, value) -> series.add("workload." + name, value));
            amounts.get(1).forEach((name, value) -> series.add("peer." + name, value));
            exchanges += scene.interval().get("count"); // those that the collections delayed
            last = System.nanoTime();
        }
        return exchanges;
    }

    private void check(String what, boolean holds) {
        checks.check(what, holds);
        if (!holds) {
            findings.add(what);
        }
    }

    private void checkFlat(String side, String name, double riseMax) {
        double[] values = series.lastHalf(side + "." + name);
        if (values.length < 10) {
            check("%s's %s: too few to tell".formatted(side, name), false);
            return;
        }
        Slope slope = Slope.of(values);
        check(
                "%s's %s are flat over the last half: %,.0f at its start, a rise of %,.0f +- %,.0f, %,.0f"
                                .formatted(
                                        side,
                                        name,
                                        values[0],
                                        slope.rise(),
                                        slope.error() * slope.steps(),
                                        riseMax)
                        + " allowed",
                slope.certainRise() <= riseMax);
    }

    private void finish(Scene scene, long exchanges) throws IOException {
        Map<String, Long> errors = scene.errors();
        check(
                "only errors of its own impatience: " + errors,
                errors.keySet().stream().allMatch(error -> EXPECTED.matcher(error).matches()));
        String returned = "nothing lost, doubled, late or still held";
        String operations = "";
        try {
            assertThat(scene.complaints()).isEmpty();
            scene.stop();
            scene.checkAllIsWell();
            operations = scene.end().toString();
        } catch (AssertionError | InterruptedException e) {
            if (options.isEmpty()) { // else it is what was wanted
                System.err.println(e.getMessage());
            }
            String message = e.getMessage().replaceAll("\\s+", " ").strip();
            returned += ", but: " + message.substring(0, Math.min(MESSAGE_MAX, message.length()));
        }
        check(returned, !operations.isEmpty());
        System.out.println("ring operations: " + operations);
        write(exchanges, operations);
    }

    private void write(long exchanges, String operations) throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("soak.csv"), series.csv());
        var panels = new LinkedHashMap<String, List<String>>();
        panels.put("exchanges a second", List.of("exchangesPerSecond"));
        panels.put("p99, microseconds", List.of("p99Micros"));
        for (String name :
                List.of(
                        Status.HEAP_BYTES,
                        Status.RESIDENT_BYTES,
                        Status.DESCRIPTORS,
                        Status.SLOTS)) {
            panels.put(name, List.of("workload." + name, "peer." + name));
        }
        Files.writeString(
                out.resolve("soak.svg"),
                series.svg("Soak: the workload blue, its peer orange", panels));
        var page = new StringBuilder();
        Conditions.ofMachine()
                .forEach((name, value) -> page.append("- " + name + ": " + value + "\n"));
        page.append("- `it/bin/soak --minutes %s --seed %d`\n".formatted(number(minutes), seed));
        page.append(
                "- exchanges: %,d; ring operations of both: %s\n".formatted(exchanges, operations));
        page.append("\n| check | result |\n| --- | --- |\n");
        for (String line : checks.lines()) {
            page.append("| " + line.replaceFirst("^(\\w+): (.*)$", "$2 | $1") + " |\n");
        }
        Files.writeString(out.resolve("soak.md"), page);
        System.out.println("written to " + out + ": soak.csv, soak.svg, soak.md");
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
