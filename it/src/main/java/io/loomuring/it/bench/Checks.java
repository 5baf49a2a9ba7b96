package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.List;

/** Tests and their result line. */
public final class Checks {
    private final List<String> lines = new ArrayList<>();
    private int passed;
    private int failed;
    private int skipped;

    /** Prints what became of it. */
    public void check(String what, boolean holds) {
        say((holds ? "passed: " : "FAILED: ") + what);
        if (holds) {
            passed++;
        } else {
            failed++;
        }
    }

    /** Something that can't be tried here. */
    public void skip(String what, String reason) {
        say("skipped: " + what + ": " + reason);
        skipped++;
    }

    private void say(String line) {
        System.out.println(line);
        lines.add(line);
    }

    /** What was printed so far: the result, a colon, and of what. */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** Prints the last line; the exit code. */
    public int report() {
        System.out.printf("%d passed, %d failed, %d skipped%n", passed, failed, skipped);
        return failed == 0 ? 0 : 1;
    }
}
