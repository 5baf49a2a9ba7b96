package io.loomuring.it.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The cores that the servers run on, and the one of the load. */
record Cores(List<Integer> server, int load) {

    /** The load gets the last core that this process may use and the servers do not. */
    static Cores of(List<Integer> server) {
        List<Integer> allowed = allowed();
        if (!allowed.containsAll(server)) {
            throw new BenchFailure("server cores " + server + ": this process may use " + allowed);
        }
        int load =
                allowed.reversed().stream()
                        .filter(core -> !server.contains(core))
                        .findFirst()
                        .orElseThrow(() ->
                                new BenchFailure(
                                        "no core left for the load: servers have "
                                                + server
                                                + " of "
                                                + allowed));
        return new Cores(List.copyOf(server), load);
    }

    /** As taskset wants it. */
    String serverList() {
        return server.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static List<Integer> allowed() {
        try {
            String list =
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(line -> line.startsWith("Cpus_allowed_list:"))
                            .map(line -> line.substring(line.indexOf(':') + 1).strip())
                            .findFirst()
                            .orElseThrow();
            var cores = new ArrayList<Integer>();
            for (String range : list.split(",", -1)) {
                int dash = range.indexOf('-');
                int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
                int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
                IntStream.rangeClosed(first, last).forEach(cores::add);
            }
            return cores;
        } catch (IOException e) {
            throw new BenchFailure("cannot read the cores of this process", e);
        }
    }
}
