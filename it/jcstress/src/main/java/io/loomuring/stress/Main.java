package io.loomuring.stress;

import org.openjdk.jcstress.JCStress;
import org.openjdk.jcstress.Options;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.collectors.DiskReadCollector;
import org.openjdk.jcstress.infra.collectors.InProcessCollector;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.TestList;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Runs tests, and prints a line for each: what must hold has shown no forbidden result, and a
 * broken twin ({@code ...Broken}) has shown one. What had too few samples to be believed, on a busy
 * machine, and a twin that wasn't caught run again, for longer.
 *
 * <p>Arguments: a regular expression that a test's name must match in part, the number of
 * iterations, then jcstress's own options. Everything else that jcstress does goes to {@code
 * log.txt} in the working directory. The exit code is 0 if all passed, else 1.
 */
public final class Main {
    private Main() {}

    private static final String TWIN = "Broken";
    private static final String PACKAGE = "io.loomuring.";
    private static final long SAMPLES_MIN = 10_000;
    private static final int ROUNDS = 4;
    private static final int LONGER = 4; // times the round before

    private static PrintStream terminal;
    private static int passed;
    private static int failed;

    public static void main(String[] args) throws Exception {
        terminal = System.out;
        try (var out = new PrintStream("log.txt", StandardCharsets.UTF_8)) {
            System.setOut(out);
            var options = List.of(args).subList(2, args.length);
            SortedSet<String> tests = testsLike(args[0]);
            if (tests.isEmpty()) {
                terminal.println("no such test: " + args[0]);
                System.exit(2);
            }
            int iterations = Integer.parseInt(args[1]);
            for (int round = 1; !tests.isEmpty(); round++) {
                var results = run(tests, options, round, iterations);
                tests = judge(tests, results, round == ROUNDS);
                iterations *= LONGER;
            }
        }
        terminal.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    private static SortedSet<String> testsLike(String regex) {
        Pattern pattern = Pattern.compile(regex);
        return TestList.tests().stream()
                .filter(test -> pattern.matcher(test).find())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Collection<TestResult> run(
            SortedSet<String> tests, List<String> options, int round, int iterations)
            throws Exception {
        List<String> args = new ArrayList<>(options);
        args.add("-iters");
        args.add(Integer.toString(iterations));
        args.add("-t");
        args.add(tests.stream().map(Pattern::quote).collect(Collectors.joining("|", "^(", ")$")));
        args.add("-r");
        args.add("round-" + round);
        var parsed = new Options(args.toArray(String[]::new));
        if (!parsed.parse()) {
            throw new IllegalArgumentException(args.toString());
        }
        try {
            new JCStress(parsed).run();
        } catch (AssertionError e) {
            System.out.println(e); // some test failed, as twins do: see the results
        }
        var results = new InProcessCollector();
        var file = new DiskReadCollector(parsed.getResultFile(), results);
        file.dump();
        file.close();
        return results.getTestResults();
    }

    /** Returns tests that are to run once more. */
    private static SortedSet<String> judge(
            SortedSet<String> tests, Collection<TestResult> results, boolean last) {
        var again = new TreeSet<String>();
        for (String test : tests) {
            long samples = 0;
            long forbidden = 0;
            String trouble = "";
            for (TestResult result : results) {
                if (result.getName().equals(test)) {
                    samples += result.getTotalCount();
                    forbidden += forbidden(result);
                    if (result.status() != Status.NORMAL) {
                        trouble = " " + result.status() + " " + result.getMessages();
                    }
                }
            }
            boolean twin = test.endsWith(TWIN);
            boolean ran = trouble.isEmpty();
            boolean enough = twin ? forbidden > 0 : samples >= SAMPLES_MIN || forbidden > 0;
            if (ran && !enough && !last) {
                again.add(test);
                continue;
            }
            boolean pass = ran && enough && twin == forbidden > 0;
            if (pass) {
                passed++;
            } else {
                failed++;
            }
            terminal.printf(
                    "%s: %s, %d of %d forbidden%s%n",
                    pass ? (twin ? "caught" : "passed") : (twin ? "NOT CAUGHT" : "FAILED"),
                    test.substring(PACKAGE.length()),
                    forbidden,
                    samples,
                    trouble);
        }
        return again;
    }

    private static long forbidden(TestResult result) {
        return result.grading().gradingResults.values().stream()
                .filter(state -> state.expect == Expect.FORBIDDEN)
                .mapToLong(state -> state.count)
                .sum();
    }
}
