package io.loomuring.it.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a result depends on and must be read with. */
public final class Conditions {
    private Conditions() {}

    static Map<String, String> of(Plan plan, ServerLauncher launcher, Cores cores) {
        boolean netty = plan.sides().contains(Side.NETTY);
        boolean c = plan.sides().contains(Side.C);
        boolean channels = launcher.workload().api() == Api.CHANNELS;
        Map<String, String> conditions = ofMachine();
        conditions.put(
                "cores", "%d for the server, 1 for the load".formatted(cores.server().size()));
        conditions.put("Netty", netty ? nettyVersion(launcher.root()) : "");
        conditions.put("C server's ring", c ? launcher.ringFlags() : "");
        conditions.put("requests", launcher.workload().describeRequests(plan.messageBytes()));
        conditions.put("blocking server's buffer", channels ? launcher.buffer() : "");
        conditions.put("options of every JVM", String.join(" ", launcher.jvmOptions()));
        conditions.put("options of loom-uring", String.join(" ", launcher.agentOptions()));
        conditions.put(
                "rounds",
                "%d, each with fresh servers: %s s warm-up, then windows of %s s"
                        .formatted(plan.rounds(), plan.warmupSeconds(), plan.seconds()));
        conditions.values().removeIf(String::isEmpty);
        return conditions;
    }

    /** What any measurement depends on. */
    public static Map<String, String> ofMachine() {
        var conditions = new LinkedHashMap<String, String>();
        conditions.put(
                "kernel", firstMatch("[0-9]+(\\.[0-9]+)*", System.getProperty("os.version")));
        conditions.put("CPU", cpuModel() + ", " + System.getProperty("os.arch"));
        conditions.put("JDK", System.getProperty("java.runtime.version"));
        return conditions;
    }

    private static String cpuModel() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown model");
        } catch (IOException e) {
            throw new BenchFailure("cannot read the CPU's model", e);
        }
    }

    private static String nettyVersion(Path root) {
        try (var files = Files.list(root.resolve("it/target/lib"))) {
            String names =
                    files.map(file -> file.getFileName() + "\n").collect(Collectors.joining());
            return firstMatch("(?<=netty-transport-)[0-9.]+[0-9]", names);
        } catch (IOException e) {
            throw new BenchFailure("cannot list it/target/lib", e);
        }
    }

    private static String firstMatch(String regex, String text) {
        Matcher matcher = Pattern.compile(regex).matcher(text);
        return matcher.find() ? matcher.group() : "";
    }
}
