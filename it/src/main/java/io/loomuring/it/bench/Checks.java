package io.loomuring.it.bench;

/** Tests and their result line. */
final class Checks {
    private int passed;
    private int failed;

    void check(String what, boolean holds) {
        System.out.println((holds ? "passed: " : "FAILED: ") + what);
        if (holds) {
            passed++;
        } else {
            failed++;
        }
    }

    /** Prints the last line; the exit code. */
    int report() {
        System.out.printf("%d passed, %d failed, 0 skipped%n", passed, failed);
        return failed == 0 ? 0 : 1;
    }
}
