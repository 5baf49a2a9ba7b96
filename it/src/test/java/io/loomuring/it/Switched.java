package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.stream.Collectors;

/** What a {@link io.loomuring.it.program.SwitchProbe} printed: by whom its threads are carried. */
final class Switched {
    private static final String OUR_CARRIERS = "loom-uring-carrier-";
    private static final String JDK_CARRIERS = "ForkJoinPool-";
    private static final String OUR_CHANNELS = "io.loomuring.";
    private static final String JDK_CHANNELS = "sun.nio.ch.";

    private final Child child;
    private final Map<String, String> found;

    private Switched(Child child, Map<String, String> found) {
        this.child = child;
        this.found = found;
    }

    /** Waits for the end of a probe, which must have had its message answered. */
    static Switched endOf(Child child) {
        assertThat(child.awaitExit()).as("%s", child).isZero();
        Map<String, String> found =
                child.outputLines().stream()
                        .filter(line -> line.matches("[A-Za-z]+=.*"))
                        .map(line -> line.split("=", 2))
                        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        assertThat(found).as("%s", child).containsEntry("answer", "42");
        return new Switched(child, found);
    }

    String provider() {
        return found.get("provider");
    }

    /** Of one of the JVM's lines of output. */
    String get(String what) {
        return found.get(what);
    }

    /** Nothing is left to the JDK, and nothing said. */
    void checkAllOurs() {
        checkCarried();
        assertThat(found.get("before")).startsWith(OUR_CARRIERS);
        assertThat(found.get("descendant")).startsWith(OUR_CARRIERS);
        assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
    }

    /** Threads started before the provider was loaded, and their descendants, are the JDK's. */
    void checkOursSinceTheFirstChannel() {
        checkCarried();
        assertThat(found.get("before")).startsWith(JDK_CARRIERS);
        assertThat(found.get("descendant")).startsWith(JDK_CARRIERS);
        assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
    }

    /** New threads and channels are ours; the JVM may have printed what it likes. */
    void checkCarried() {
        assertThat(found.get("after")).startsWith(OUR_CARRIERS);
        assertThat(found.get("provider")).isEqualTo(Child.PROVIDER);
        assertThat(found.get("channel")).startsWith(OUR_CHANNELS);
        System.out.println(found + ", ring operations: " + child.ringOperations());
        assertThat(child.ringOperations()).isPositive();
    }

    /** Whatever the JDK makes of virtual threads here. */
    void checkNothingOurs() {
        assertThat(found.get("after")).doesNotStartWith(OUR_CARRIERS);
        assertThat(found.get("channel")).startsWith(JDK_CHANNELS);
    }

    void checkAllTheJdks() {
        assertThat(found.get("before")).startsWith(JDK_CARRIERS);
        assertThat(found.get("after")).startsWith(JDK_CARRIERS);
        assertThat(found.get("descendant")).startsWith(JDK_CARRIERS);
        assertThat(found.get("channel")).startsWith(JDK_CHANNELS);
    }
}
