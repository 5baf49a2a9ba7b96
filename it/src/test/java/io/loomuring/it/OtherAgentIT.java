package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.SwitchProbe;
import io.loomuring.it.program.TransformingAgent;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another agent in the same JVM, which rewrites classes of the JDK, of ours, of the program. */
class OtherAgentIT {
    @TempDir private Path folder;

    private String other() {
        return "-javaagent:" + Jars.agent(folder.resolve("other.jar"), TransformingAgent.class);
    }

    private static Switched check(Child child) {
        Switched found = Switched.endOf(child);
        assertThat(found.get("VirtualThread")).isEqualTo("rewritten");
        assertThat(found.get("probe")).isEqualTo("rewritten");
        return found;
    }

    @Test
    void ourAgentWorksAfterAnother() {
        var options = new ArrayList<>(List.of(other()));
        options.addAll(Child.agent());
        try (Child child = Child.program(options, SwitchProbe.class)) {
            Switched found = check(child);
            assertThat(found.get("group")).isEqualTo("rewritten");
            found.checkAllOurs();
        }
    }

    @Test
    void ourAgentWorksBeforeAnother() {
        try (Child child = Child.program(Child.agent(other()), SwitchProbe.class)) {
            check(child).checkAllOurs();
        }
    }

    @Test
    void theProviderWorksBesidesAnotherAgent() {
        try (Child child =
                Child.programOn(
                        List.of(Child.jar(), Child.testClasses()),
                        Child.provider(other()),
                        SwitchProbe.class)) {
            Switched found = check(child);
            assertThat(found.get("group")).isEqualTo("rewritten");
            found.checkOursSinceTheFirstChannel();
        }
    }

    @Test
    void ourAgentNamedTwiceInstallsOnce() {
        var options = Child.agent("-javaagent:" + Child.jar());
        try (Child child = Child.program(options, SwitchProbe.class)) {
            Switched.endOf(child).checkAllOurs();
        }
    }
}
