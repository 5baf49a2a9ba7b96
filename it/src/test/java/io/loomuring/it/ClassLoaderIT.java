package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.FatJarLoader;
import io.loomuring.it.program.HidingLauncher;
import io.loomuring.it.program.InstallingProbe;
import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Applications whose classes, and perhaps our jar, lie in a class loader of their own. */
class ClassLoaderIT {
    /** Two carriers and no more: so many are counted. */
    private static final String NO_SPARE = "-Djdk.virtualThreadScheduler.maxPoolSize=2";

    private static final List<String> INSTALLING =
            List.of(
                    "-ea",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Dloomuring.mode=required",
                    "-Dloomuring.report=true",
                    "-Dloomuring.carriers=2",
                    NO_SPARE);

    @TempDir private Path folder;

    /** Launches a program in a child class loader; the system's has the launcher, and more. */
    private Child launch(
            List<String> options,
            List<String> more,
            String parent,
            List<String> classPath,
            Class<?> program) {
        var ofSystem = new ArrayList<>(more);
        ofSystem.add(
                Jars.of(folder.resolve("launcher.jar"), HidingLauncher.class, FatJarLoader.class));
        return Child.programOn(
                ofSystem,
                options,
                HidingLauncher.class,
                parent,
                String.join(File.pathSeparator, classPath),
                program.getName());
    }

    @ParameterizedTest
    @ValueSource(strings = {"platform", "system"})
    void theAgentCarriesAnApplicationWhetherOrNotItSeesUs(String parent) {
        try (Child child =
                launch(
                        Child.agent(),
                        List.of(),
                        parent,
                        List.of(Child.testClasses()),
                        SwitchProbe.class)) {
            Switched.endOf(child).checkAllOurs();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"platform", "system"})
    void aJarInTheApplicationsLoaderAloneCarriesTheJvm(String parent) {
        try (Child child =
                launch(
                        INSTALLING,
                        List.of(),
                        parent,
                        List.of(Child.jar(), Child.testClasses()),
                        InstallingProbe.class)) {
            Switched found = Switched.endOf(child);
            found.checkAllOurs();
            assertThat(found.get("copy")).isEqualTo("child");
            assertThat(found.get("channels")).isEqualTo("child");
            checkAnswers(found);
        }
    }

    @Test
    void ourJarWithinAFatJarCarriesTheJvm() {
        String fat =
                Jars.fat(
                        folder.resolve("fat.jar"),
                        Path.of(Child.jar()),
                        InstallingProbe.class,
                        SwitchProbe.class);
        try (Child child =
                launch(INSTALLING, List.of(), "system", List.of(fat), InstallingProbe.class)) {
            Switched found = Switched.endOf(child);
            found.checkAllOurs();
            assertThat(found.get("copy")).isEqualTo("child");
            checkAnswers(found);
        }
    }

    @Test
    void aSecondCopyPassesOnToTheAgents() {
        try (Child child =
                launch(
                        Child.agent("-Dloomuring.carriers=2", NO_SPARE),
                        List.of(),
                        "platform",
                        List.of(Child.jar(), Child.testClasses()),
                        InstallingProbe.class)) {
            Switched found = Switched.endOf(child);
            found.checkAllOurs();
            assertThat(found.get("copy")).isEqualTo("child");
            assertThat(found.get("channels")).isEqualTo("app");
            checkAnswers(found);
        }
    }

    @Test
    void aSecondCopyPassesOnToTheOneThatAProviderInstalled() {
        try (Child child =
                launch(
                        Child.provider("-Dloomuring.carriers=2", NO_SPARE),
                        List.of(Child.jar()),
                        "platform",
                        List.of(Child.jar(), Child.testClasses()),
                        InstallingProbe.class)) {
            Switched found = Switched.endOf(child);
            found.checkAllOurs();
            checkAnswers(found);
        }
    }

    private static void checkAnswers(Switched found) {
        assertThat(found.get("installed")).isEqualTo("true");
        assertThat(found.get("again")).isEqualTo("true");
        assertThat(found.get("factory")).startsWith("loom-uring-carrier-");
        assertThat(found.get("counted")).isEqualTo("true");
        assertThat(found.get("carriers")).as("of one copy").isEqualTo("2");
    }
}
