package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.EchoServer;
import io.loomuring.it.program.FactoryProbe;
import io.loomuring.it.program.InstallProbe;
import io.loomuring.it.program.ParkedThreads;
import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.List;

/** The ways to switch loom-uring on, and what a program sees of each. */
class SwitchIT {
    @Test
    void theAgentCarriesEveryVirtualThread() {
        try (Child child = Child.program(Child.agent(), SwitchProbe.class)) {
            Switched.endOf(child).checkAllOurs();
        }
    }

    @Test
    void theAgentNeedsNoModuleButTheBase() {
        try (Child child =
                Child.program(Child.agent("--limit-modules=java.base"), SwitchProbe.class)) {
            Switched.endOf(child).checkAllOurs();
        }
    }

    @Test
    void theAgentSwitchedOffLeavesAllToTheJdk() {
        try (Child child =
                Child.program(
                        List.of("-javaagent:" + Child.jar(), "-Dloomuring.mode=off"),
                        SwitchProbe.class)) {
            Switched.endOf(child).checkAllTheJdks();
            assertThat(child.errorLines()).isEmpty();
        }
    }

    @Test
    void theProviderPropertyCarriesThreadsStartedAfterTheFirstChannelWasOpened() {
        try (Child child = start(Child.provider(), SwitchProbe.class)) {
            Switched.endOf(child).checkOursSinceTheFirstChannel();
        }
    }

    @Test
    void theProviderPropertySwitchedOffLeavesAllToTheJdk() {
        try (Child child =
                start(
                        List.of(
                                "-Djava.nio.channels.spi.SelectorProvider=" + Child.PROVIDER,
                                "-Dloomuring.mode=off"),
                        SwitchProbe.class)) {
            Switched found = Switched.endOf(child);
            assertThat(found.provider()).isEqualTo(Child.PROVIDER);
            found.checkAllTheJdks();
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

    @Test
    void theThreadFactoryCarriesItsThreadsAndInstallTheOthers() {
        try (Child child =
                start(
                        List.of(
                                "-ea",
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dloomuring.mode=required",
                                "-Dloomuring.report=true"),
                        FactoryProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines())
                    .containsExactly(
                            "factory: loom-uring-carrier",
                            "others: ForkJoinPool-worker",
                            "answer: 42",
                            "installed: true",
                            "factory: loom-uring-carrier",
                            "others: loom-uring-carrier");
            System.out.println("thread factory: ring operations: " + child.ringOperations());
            assertThat(child.ringOperations()).isPositive();
            assertThat(child.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
        }
    }

    @Test
    void theProviderPropertyInstallsAlsoAfterTheThreadFactoryWasUsed() {
        try (Child child = start(Child.provider(), FactoryProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines())
                    .containsExactly(
                            "factory: loom-uring-carrier",
                            "others: loom-uring-carrier", // since it opens a channel before
                            "answer: 42",
                            "installed: true",
                            "factory: loom-uring-carrier",
                            "others: loom-uring-carrier");
        }
    }

    @Test
    void jcmdShowsTheCarriers() throws IOException, InterruptedException {
        var options =
                Child.agent(
                        "-Djdk.virtualThreadScheduler.parallelism=3",
                        "-Djdk.virtualThreadScheduler.maxPoolSize=3"); // no spare
        try (Child child = Child.program(options, EchoServer.class)) {
            child.nextLine(); // it runs
            assertThat(child.scheduler())
                    .contains("io.loomuring.carrier.CarrierGroup@")
                    .contains("[Running, parallelism = 3, size = 3, active = 0, ")
                    .contains("tasks = 0, submissions = 0]");
            assertThat(child.end()).isZero();
        }
    }

    /** A program with the jar on the class path. */
    private static Child start(List<String> options, Class<?> program, String... arguments) {
        return Child.programOn(
                List.of(Child.jar(), Child.testClasses()), options, program, arguments);
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
