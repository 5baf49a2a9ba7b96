package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.InstallProbe;
import io.loomuring.it.program.ParkedThreads;
import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The ways to switch loom-uring on, and what a program sees of each. */
class SwitchIT {
    private static final String OUR_CARRIERS = "loom-uring-carrier-";
    private static final String JDK_CARRIERS = "ForkJoinPool-";
    static final String OUR_PROVIDER = "io.loomuring.UringSelectorProvider";
    private static final String OUR_CHANNELS = "io.loomuring.";
    private static final String JDK_CHANNELS = "sun.nio.ch.";

    @Test
    void theAgentCarriesEveryVirtualThread() {
        try (Child child = Child.program(Child.agent(), SwitchProbe.class)) {
            Map<String, String> found = endOf(child);
            assertThat(found.get("before")).startsWith(OUR_CARRIERS);
            assertThat(found.get("after")).startsWith(OUR_CARRIERS);
            assertThat(found.get("descendant")).startsWith(OUR_CARRIERS);
            assertThat(found.get("provider")).isEqualTo(OUR_PROVIDER);
            assertThat(found.get("channel")).startsWith(OUR_CHANNELS);
            assertThat(child.ringOperations()).isPositive();
            assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
        }
    }

    @Test
    void theAgentSwitchedOffLeavesAllToTheJdk() {
        try (Child child =
                Child.program(
                        List.of("-javaagent:" + Child.jar(), "-Dloomuring.mode=off"),
                        SwitchProbe.class)) {
            checkJdks(endOf(child));
            assertThat(child.errorLines()).isEmpty();
        }
    }

    @Test
    void theProviderPropertyCarriesThreadsStartedAfterTheFirstChannelWasOpened() {
        try (Child child =
                start(
                        List.of(
                                "-ea",
                                "-Djava.nio.channels.spi.SelectorProvider=" + OUR_PROVIDER,
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dloomuring.mode=required",
                                "-Dloomuring.report=true"),
                        SwitchProbe.class)) {
            Map<String, String> found = endOf(child);
            assertThat(found.get("before")).startsWith(JDK_CARRIERS);
            assertThat(found.get("after")).startsWith(OUR_CARRIERS);
            assertThat(found.get("descendant")).startsWith(JDK_CARRIERS);
            assertThat(found.get("provider")).isEqualTo(OUR_PROVIDER);
            assertThat(found.get("channel")).startsWith(OUR_CHANNELS);
            assertThat(child.ringOperations()).isPositive();
            assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
        }
    }

    @Test
    void theProviderPropertySwitchedOffLeavesAllToTheJdk() {
        try (Child child =
                start(
                        List.of(
                                "-Djava.nio.channels.spi.SelectorProvider=" + OUR_PROVIDER,
                                "-Dloomuring.mode=off"),
                        SwitchProbe.class)) {
            Map<String, String> found = endOf(child);
            assertThat(found.remove("provider")).isEqualTo(OUR_PROVIDER);
            checkJdks(found);
        }
    }

    @Test
    void installCarriesEveryThreadCreatedAfterwardsWhateverTheJitHasCompiled() {
        try (Child child =
                start(
                        List.of(
                                "-ea",
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dloomuring.mode=required"),
                        InstallProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines())
                    .containsExactly("true true", "{loom-uring-carrier=1000}");
        }
    }

    /** Checks that all of what a {@link SwitchProbe} printed is the JDK's own. */
    static void checkJdks(Map<String, String> found) {
        assertThat(found.get("before")).startsWith(JDK_CARRIERS);
        assertThat(found.get("after")).startsWith(JDK_CARRIERS);
        assertThat(found.get("descendant")).startsWith(JDK_CARRIERS);
        assertThat(found.get("channel")).startsWith(JDK_CHANNELS);
    }

    /** What a {@link SwitchProbe} printed, after its end, and its message's answer checked. */
    static Map<String, String> endOf(Child child) {
        assertThat(child.awaitExit()).as("%s", child).isZero();
        Map<String, String> found =
                child.outputLines().stream()
                        .map(line -> line.split("=", 2))
                        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        assertThat(found).containsEntry("answer", "42");
        return found;
    }

    /** A program with the jar on the class path. */
    private static Child start(List<String> options, Class<?> program) {
        var all = new ArrayList<>(options);
        all.addAll(
                List.of(
                        "-cp",
                        Child.jar() + File.pathSeparator + Child.testClasses(),
                        program.getName()));
        return Child.start(all);
    }

    // ---- ends of the JVM ----

    @Test
    void theJvmEndsWithMainWhateverThreadsWaitFor() {
        try (Child child = Child.program(Child.agent(), ParkedThreads.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines()).containsExactly("ends");
            assertThat(child.ringOperations()).isGreaterThanOrEqualTo(3);
            assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
        }
    }

    @Test
    void aVirtualThreadCanExitTheJvm() {
        try (Child child = Child.program(Child.agent(), ParkedThreads.class, "exit")) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(7);
            assertThat(child.ringOperations()).isGreaterThanOrEqualTo(3);
        }
    }

    // ---- properties that can't be used ----

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mode=bogus",
                "mode=",
                "carriers=0",
                "carriers=many",
                "carriers=1000000",
                "entries=7",
                "entries=100",
                "steal=perhaps",
                "ring.flags=IOPOLLING",
                "ring.flags=DEFER_TASKRUN",
                "report=2"
            })
    void aPropertyThatCannotBeUsedEndsTheJvmWithOneLine(String setting) {
        String[] pair = setting.split("=", 2);
        try (Child child =
                Child.program(
                        List.of("-javaagent:" + Child.jar(), "-Dloomuring." + setting),
                        SwitchProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(1);
            assertThat(child.outputLines()).isEmpty();
            assertThat(child.errorLines()).hasSize(1);
            assertThat(child.errorLines().getFirst())
                    .contains("loomuring." + pair[0])
                    .contains("\"" + pair[1] + "\"");
        }
    }

    // ---- commands ----

    @Test
    void helpSaysHowToUseTheJar() {
        try (Child child = Child.start(List.of("-jar", Child.jar()), "help")) {
            assertThat(child.awaitExit()).isZero();
            assertThat(String.join("\n", child.outputLines()))
                    .contains("-javaagent:loom-uring.jar");
            assertThat(child.errorLines()).isEmpty();
        }
    }

    @Test
    void versionIsOneLine() {
        try (Child child = Child.start(List.of("-jar", Child.jar()), "version")) {
            assertThat(child.awaitExit()).isZero();
            assertThat(child.outputLines()).hasSize(1);
            assertThat(child.outputLines().getFirst()).matches("loom-uring [0-9].*");
            assertThat(child.errorLines()).isEmpty();
        }
    }

    @Test
    void anUnknownCommandIsRefused() {
        try (Child child = Child.start(List.of("-jar", Child.jar()), "nonsense")) {
            assertThat(child.awaitExit()).isEqualTo(2);
            assertThat(child.outputLines()).isEmpty();
            assertThat(child.errorLines().getFirst()).contains("nonsense");
        }
    }
}
