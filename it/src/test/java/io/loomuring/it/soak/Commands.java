package io.loomuring.it.soak;

import io.loomuring.LoomUring;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Scanner;

/** What a test tells a JVM of its own by standard input, and what that answers: a line each. */
final class Commands {
    /** A command's answer; what it is told comes after the command's word. */
    interface Command {
        String run(String told) throws Exception;
    }

    private final Map<String, Command> commands = new HashMap<>();

    Commands() {
        with("counts", _ -> Status.line(Status.counts()));
        with("amounts", _ -> Status.line(Status.amounts()));
        with("clock", _ -> Long.toString(System.currentTimeMillis()));
        with("counters", _ -> Status.line(LoomUring.counters().toMap()));
        with(
                "details",
                _ -> {
                    System.err.println(Status.details());
                    return "printed";
                });
    }

    Commands with(String word, Command command) {
        commands.put(word, command);
        return this;
    }

    /** All in one line. */
    static String line(Collection<String> some, Collection<String> others) {
        var all = new ArrayList<>(some);
        all.addAll(others);
        return String.join("; ", all).replace('\n', ' ');
    }

    /** Serves until the input ends, and ends the JVM then. */
    void serve() throws Exception {
        try (var in = new Scanner(System.in, StandardCharsets.US_ASCII)) {
            while (in.hasNextLine()) {
                String[] parts = in.nextLine().split(" ", 2);
                System.out.println(commands.get(parts[0]).run(parts.length > 1 ? parts[1] : ""));
            }
        }
        System.exit(0);
    }
}
