package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Native;

import io.loomuring.it.program.JnaProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;

/** An application that brings a JNA of its own, older than ours and with another native library. */
class JnaIT {
    private static final String THEIRS =
            Path.of(Native.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                    .toString();

    private static void check(Switched found) {
        assertThat(found.get("jna")).isEqualTo(THEIRS);
        assertThat(found.get("works")).isEqualTo("true");
    }

    @Test
    void theAgentDoesNotMeetIt() {
        try (Child child =
                Child.programOn(
                        List.of(THEIRS, Child.testClasses()), Child.agent(), JnaProbe.class)) {
            Switched found = Switched.endOf(child);
            check(found);
            found.checkCarried();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theProviderDoesNotMeetItBeforeOrAfterOurJar(boolean before) {
        List<String> classPath =
                before
                        ? List.of(THEIRS, Child.jar(), Child.testClasses())
                        : List.of(Child.jar(), THEIRS, Child.testClasses());
        try (Child child = Child.programOn(classPath, Child.provider(), JnaProbe.class)) {
            Switched found = Switched.endOf(child);
            check(found);
            found.checkOursSinceTheFirstChannel();
        }
    }

    @Test
    void ourJarOffersNoJnaToTheApplication() {
        try (Child child =
                Child.programOn(
                        List.of(Child.jar(), Child.testClasses()),
                        Child.provider(),
                        JnaProbe.class)) {
            assertThat(child.awaitExit()).isEqualTo(1);
            assertThat(child.errorLines()).anyMatch(line -> line.contains("NoClassDefFoundError"));
        }
    }
}
