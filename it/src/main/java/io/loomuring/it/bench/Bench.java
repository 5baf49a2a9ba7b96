package io.loomuring.it.bench;

import io.loomuring.it.bench.stall.Hog;

import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** The command line of {@code it/bin/bench}, which builds everything and then starts this. */
@Command(
        name = "it/bin/bench",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {
            "Compares echo servers: a blocking one on virtual threads, with the stock JDK and with"
                + " loom-uring's agent (the same class, unmodified), Netty on io_uring, and C on"
                + " io_uring. Servers run on one core, the load on another.",
            "",
            "Without a mode it runs all sides in 5 rounds, on channels and then on sockets, takes"
                    + " about 25 minutes and writes a page, a picture and every sample of each"
                    + " into docs/performance/.",
            ""
        },
        footer = {
            "",
            "Sides: stock, stock2 (the stock JDK again, to see the noise), ours, sqpoll (ours, the"
                    + " kernel's thread submits), netty, c.",
            "System calls are counted for root only; everything else needs no privilege."
        })
final class Bench implements Callable<Integer> {

    @ArgGroup(heading = "Modes:%n")
    private final Modes modes = new Modes();

    private static final class Modes {
        @Option(
                names = "--demo",
                description =
                        "An HTTP server on the stock JDK and on loom-uring, side by side, with"
                                + " live progress. About a minute.")
        private boolean demo;

        @Option(
                names = "--quick",
                description =
                        "One short round of all sides, for CI. Writes to it/target/bench/. Less"
                                + " than two minutes.")
        private boolean quick;

        @Option(
                names = "--platform",
                description =
                        "A platform thread for each connection, on the stock JDK and on"
                                + " loom-uring. About 12 minutes.")
        private boolean platform;

        @Option(
                names = "--selector",
                description =
                        "An event loop with 1,000 connections, on a platform thread and on a"
                                + " virtual one, on the stock JDK and on loom-uring. About 5"
                                + " minutes.")
        private boolean selector;

        @Option(
                names = "--sqpoll",
                description =
                        "loom-uring as it is and with a thread of the kernel's that submits."
                                + " About 10 minutes.")
        private boolean sqPoll;

        @Option(
                names = "--held",
                description =
                        "10,000 connections, each with a request a second for 60 seconds, then"
                                + " idle: does one fail, how late are answers, how much memory"
                                + " does one hold? About 15 minutes.")
        private boolean held;

        @Option(
                names = "--stall",
                description =
                        "Virtual threads that keep their carriers for 2 seconds, on the stock JDK"
                                + " and on loom-uring: how late do others go on? About 30"
                                + " minutes; with --hogs for some kinds only.")
        private boolean stall;

        @Option(
                names = "--timers",
                description =
                        "A million pending timed parks, and sleeps beside a thread that computes,"
                                + " on the stock JDK and on loom-uring. About 2 minutes.")
        private boolean timers;

        @Option(
                names = "--two-carriers",
                description =
                        "One accept loop, handlers that burn 200 us of CPU: does a second carrier"
                                + " help? Fails below 1.7 times.")
        private boolean twoCarriers;

        @Option(
                names = "--allocation",
                description =
                        "Bytes allocated a request and contended locks, over 1,000,000 requests.")
        private boolean allocation;

        private Mode mode() {
            if (demo) {
                return Mode.DEMO;
            }
            if (quick) {
                return Mode.QUICK;
            }
            if (twoCarriers) {
                return Mode.TWO_CARRIERS;
            }
            if (platform) {
                return Mode.PLATFORM;
            }
            if (selector) {
                return Mode.SELECTOR;
            }
            if (sqPoll) {
                return Mode.SQ_POLL;
            }
            if (held) {
                return Mode.HELD;
            }
            if (stall) {
                return Mode.STALL;
            }
            if (timers) {
                return Mode.TIMERS;
            }
            return allocation ? Mode.ALLOCATION : Mode.FULL;
        }
    }

    @ArgGroup(validate = false, heading = "%nWhat is measured:%n")
    private final Measured measured = new Measured();

    private static final class Measured {
        @Option(
                names = "--api",
                paramLabel = "API",
                description =
                        "The blocking server's: channels (SocketChannel) or sockets (Socket and"
                                + " its streams). Without it: both, one after the other, or"
                                + " channels in the modes --sqpoll, --two-carriers and"
                                + " --allocation. The demo has sockets.")
        private Api api;

        @Option(names = "--sides", split = ",", paramLabel = "SIDE", description = "Which servers.")
        private List<Side> sides;

        @Option(
                names = "--connections",
                split = ",",
                paramLabel = "N",
                description = "How many connections; full: 1,16,128,1024.")
        private List<Integer> connections;

        @Option(names = "--rounds", paramLabel = "N", description = "How often; full: 5.")
        private Integer rounds;

        @Option(
                names = "--warmup",
                paramLabel = "S",
                description = "Seconds of load on each fresh server before it is measured.")
        private Double warmupSeconds;

        @Option(names = "--seconds", paramLabel = "S", description = "Length of each window.")
        private Double seconds;

        @Option(
                names = "--message-bytes",
                paramLabel = "N",
                description = "Size of a request; default 64.")
        private Integer messageBytes;

        @Option(
                names = "--hogs",
                split = ",",
                paramLabel = "KIND",
                description = "How they keep their carriers: ${COMPLETION-CANDIDATES}.")
        private List<Hog> hogs = List.of(Hog.values());

        private Plan override(Plan plan) {
            return new Plan(
                    Objects.requireNonNullElse(sides, plan.sides()),
                    Objects.requireNonNullElse(connections, plan.connections()),
                    Objects.requireNonNullElse(rounds, plan.rounds()),
                    Objects.requireNonNullElse(messageBytes, plan.messageBytes()),
                    Objects.requireNonNullElse(warmupSeconds, plan.warmupSeconds()),
                    Objects.requireNonNullElse(seconds, plan.seconds()),
                    plan.syscallSeconds());
        }
    }

    @ArgGroup(validate = false, heading = "%nHow the servers run:%n")
    private final Servers servers = new Servers();

    private static final class Servers {
        @Option(
                names = "--server-cores",
                split = ",",
                paramLabel = "CORE",
                description = "The servers' cores; default 0. The load has the last of the others.")
        private List<Integer> cores = List.of(0);

        @Option(
                names = "--buffer",
                paramLabel = "KIND",
                description = "The blocking server's buffers: direct (default) or heap.")
        private Buffer buffer = Buffer.DIRECT;

        @Option(
                names = "--ring-flags",
                paramLabel = "FLAGS",
                description = "The C server's ring: coop (default), defer or none.")
        private RingFlags ringFlags = RingFlags.COOP;

        @Option(
                names = "--jvm-opts",
                paramLabel = "OPTS",
                description = "JVM options for every Java server, in one argument.")
        private String jvmOptions = "";

        @Option(
                names = "--agent-opts",
                paramLabel = "OPTS",
                description =
                        "JVM options for loom-uring's server alone, such as"
                                + " -Dloomuring.ring.flags=..., in one argument.")
        private String agentOptions = "";

        private ServerLauncher launcher(Path root, Workload workload) {
            return new ServerLauncher(
                    root,
                    Path.of(System.getProperty("java.home"), "bin", "java"),
                    workload,
                    lowerCase(buffer),
                    lowerCase(ringFlags),
                    words(jvmOptions),
                    words(agentOptions));
        }

        private static List<String> words(String text) {
            return Stream.of(text.split("\\s+", -1)).filter(word -> !word.isEmpty()).toList();
        }
    }

    private enum Buffer {
        DIRECT,
        HEAP
    }

    /** See {@code parse_flags} of echo_uring.c. */
    private enum RingFlags {
        COOP,
        DEFER,
        NONE
    }

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where the page, the picture and the samples go.")
    private Path out;

    @SuppressWarnings("unused") // picocli acts on it
    @Option(names = "--help", usageHelp = true, description = "This text.")
    private boolean help;

    /** Set by it/bin/bench. */
    private final Path root = Path.of(System.getProperty("bench.root", "."));

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT); // figures look the same everywhere, JSON and SVG want dots
        CommandLine commandLine = new CommandLine(new Bench());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExecutionExceptionHandler(Bench::explain);
        System.exit(commandLine.execute(args));
    }

    private static int explain(
            Exception exception, CommandLine commandLine, CommandLine.ParseResult parsed)
            throws Exception {
        if (!(exception instanceof BenchFailure)) {
            throw exception;
        }
        commandLine.getErr().println("bench: " + exception.getMessage());
        return CommandLine.ExitCode.SOFTWARE;
    }

    @Override
    public Integer call() {
        Mode mode = modes.mode();
        if (mode == Mode.HELD) {
            return hold();
        }
        if (mode == Mode.STALL) {
            return stall();
        }
        if (mode == Mode.TIMERS) {
            var parks = new Timers(measured.override(mode.plan(Workload.CHANNELS)), root);
            write(directory(mode), parks.run());
            return 0;
        }
        int exitCode = 0;
        for (Workload workload : mode.workloads(measured.api)) {
            exitCode = Math.max(exitCode, run(mode, workload));
        }
        return exitCode;
    }

    private int run(Mode mode, Workload workload) {
        Plan plan = measured.override(mode.plan(workload));
        ServerLauncher launcher = servers.launcher(root, workload);
        Cores cores = Cores.of(servers.cores);
        List<String> requests = workload.requests(plan.messageBytes());
        var pinnedLoad = LoadGenerator.on(loadProgram(), cores, requests);
        return switch (mode) {
            case TWO_CARRIERS -> {
                var load = LoadGenerator.unpinned(loadProgram(), requests);
                yield new TwoCarriers(plan, launcher, load).run();
            }
            case ALLOCATION -> new Allocation(plan, launcher, pinnedLoad, cores).run();
            default -> {
                var progress = new Progress(plan.rounds());
                var comparison = new Comparison(plan, launcher, pinnedLoad, cores, progress);
                Map<String, String> conditions = Conditions.of(plan, launcher, cores);
                if (mode == Mode.DEMO) {
                    new Demo(comparison, conditions).run();
                } else {
                    write(mode, workload, comparison.run(), conditions);
                }
                yield 0;
            }
        };
    }

    private int hold() {
        Plan plan = measured.override(Mode.HELD.plan(Workload.CHANNELS));
        var held = new Held(plan, loadProgram(), workload -> servers.launcher(root, workload));
        String page = held.run(Mode.HELD.workloads(measured.api));
        write(directory(Mode.HELD), Map.of("held.md", page));
        return held.report();
    }

    private int stall() {
        Plan plan = measured.override(Mode.STALL.plan(Workload.CHANNELS));
        var stall = new Stall(plan, root, directory(Mode.STALL), measured.hogs);
        write(directory(Mode.STALL), stall.run());
        return stall.report();
    }

    private Path loadProgram() {
        return root.resolve("it/target/bench/load");
    }

    private Path directory(Mode mode) {
        if (out != null) {
            return out;
        }
        return root.resolve(mode == Mode.QUICK ? "it/target/bench" : "docs/performance");
    }

    private void write(
            Mode mode, Workload workload, Results results, Map<String, String> conditions) {
        String name = mode.reportName(workload);
        List<Target> targets = mode.targets(workload, results);
        String page =
                new MarkdownReport(workload.title(), results, conditions, targets)
                        .page(name + ".svg");
        System.out.println();
        System.out.println(page);
        var files = new TreeMap<String, String>();
        files.put(name + ".md", page);
        files.put(name + ".svg", BarChart.of(results));
        files.put(name + ".json", JsonReport.of(results, conditions));
        write(directory(mode), files);
    }

    private static void write(Path directory, Map<String, String> files) {
        try {
            Files.createDirectories(directory);
            for (Map.Entry<String, String> file : files.entrySet()) {
                Files.writeString(directory.resolve(file.getKey()), file.getValue());
            }
        } catch (IOException e) {
            throw new BenchFailure("cannot write to " + directory + ": " + e.getMessage(), e);
        }
        System.out.println("written to " + directory + ": " + String.join(", ", files.keySet()));
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
