package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.SpawnUnderLoad;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The JVM is copied by fork while its rings are in use. */
class ProcessIT {
    private static final int CHILDREN = Settings.size(50, 500);

    @ParameterizedTest
    @ValueSource(strings = {"FORK", "POSIX_SPAWN"})
    void connectionsGoOnWhileChildProcessesAreStarted(String launchMechanism) {
        var options = Child.agent("-Djdk.lang.Process.launchMechanism=" + launchMechanism);
        try (Child child =
                Child.program(options, SpawnUnderLoad.class, Integer.toString(CHILDREN))) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.nextLine()).matches("fine [1-9][0-9]*");
            System.out.println(
                    launchMechanism
                            + ": "
                            + child.outputLines()
                            + ", ring operations: "
                            + child.ringOperations());
            assertThat(child.ringOperations()).isPositive();
            assertThat(child.errorLines()).noneMatch(line -> line.contains("internal error"));
        }
    }
}
