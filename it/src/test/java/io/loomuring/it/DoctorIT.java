package io.loomuring.it;

import static io.loomuring.it.Confinement.EPERM;
import static io.loomuring.it.Confinement.IO_URING_SETUP;
import static io.loomuring.it.Confinement.MEMFD_CREATE;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The doctor: what it tells of this machine, and of ones that allow less. */
class DoctorIT {
    private static final String CAN_RUN = "Virtual threads can run on io_uring here.";
    private static final Confinement NOTHING_REFUSED = Confinement.seccomp(0);

    @TempDir private Path folder;

    private static Child doctor(Confinement where, List<String> options, String... arguments) {
        var all = new ArrayList<>(options);
        all.addAll(List.of("-jar", Child.jar(), "doctor"));
        return Child.confined(where, all, arguments);
    }

    /** The line of a topic. */
    private static String line(Child doctor, String topic) {
        return doctor.outputLines().stream()
                .filter(line -> line.matches("\\w+ +" + topic + "  .*"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("nothing on " + topic + ": " + doctor));
    }

    @Test
    void tellsThatVirtualThreadsCanRunAndProvesIt() {
        try (Child doctor = doctor(NOTHING_REFUSED, List.of("-Dloomuring.entries=64"))) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(doctor.errorLines()).isEmpty();
            assertThat(doctor.outputLines().getLast()).isEqualTo(CAN_RUN);
            assertThat(doctor.outputLines()).noneMatch(line -> line.startsWith("BLOCKED"));
            for (String topic :
                    List.of(
                            "kernel",
                            "JDK",
                            "JDK scheduler hook",
                            "JDK socket hook",
                            "JDK socket helpers",
                            "native library",
                            "io_uring")) {
                assertThat(line(doctor, topic)).startsWith("ok ");
            }
            assertThat(line(doctor, "trial")).matches("ok .* took [1-9][0-9]* ring operations");
            assertThat(line(doctor, "ring entries")).endsWith(" 64");
            for (String topic :
                    List.of("locked memory", "kernel TLS", "Conscrypt key capture", "DNS")) {
                assertThat(line(doctor, topic)).isNotEmpty();
            }
            assertThat(doctor.outputLines())
                    .anyMatch(line -> line.contains("TLS offload of "))
                    .anyMatch(line -> line.matches(" *loomuring.entries +64"));
        }
    }

    @Test
    void tellsWhatIsRefusedAndWhatToDo() {
        try (Child doctor = doctor(Confinement.seccomp(EPERM, IO_URING_SETUP), List.of())) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isEqualTo(1);
            assertThat(doctor.errorLines()).isEmpty();
            assertThat(line(doctor, "io_uring"))
                    .startsWith("BLOCKED")
                    .contains("Operation not permitted");
            assertThat(doctor.outputLines())
                    .anyMatch(line -> line.contains("-> allow io_uring_setup"));
            assertThat(line(doctor, "trial")).startsWith("unknown");
            assertThat(line(doctor, "native library")).startsWith("ok ");
        }
    }

    @Test
    void needsNoNativeLibraryToTellThatThereIsNone() {
        try (Child doctor =
                doctor(
                        Confinement.mounted("noexec", folder)
                                .then(Confinement.seccomp(EPERM, MEMFD_CREATE)),
                        List.of("-Djava.io.tmpdir=" + folder))) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isEqualTo(1);
            assertThat(doctor.errorLines()).isEmpty();
            assertThat(line(doctor, "native library")).startsWith("BLOCKED");
            assertThat(line(doctor, "io_uring")).startsWith("unknown");
            assertThat(line(doctor, "kernel TLS")).isNotEmpty();
        }
    }

    @Test
    void tellsThatMemoryForRingsIsScarce() throws IOException {
        Path jar = Confinement.readableCopy(Path.of(Child.jar()), folder);
        try (Child doctor =
                Child.confined(
                        Confinement.user(1000).then(Confinement.limits("memlock=65536")),
                        List.of("-Dloomuring.carriers=2", "-jar", jar.toString(), "doctor"))) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(line(doctor, "locked memory")).contains("65536 bytes");
            assertThat(line(doctor, "ring entries")).matches("(ok|limited) .*");
            System.out.println(line(doctor, "ring entries"));
        }
    }

    @Test
    void tellsThatAPropertyCannotBeUsed() {
        try (Child doctor = doctor(NOTHING_REFUSED, List.of("-Dloomuring.carriers=none"))) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isEqualTo(1);
            assertThat(doctor.errorLines()).isEmpty();
            assertThat(line(doctor, "properties"))
                    .startsWith("BLOCKED")
                    .contains("loomuring.carriers", "\"none\"");
        }
    }

    @Test
    void looksTheSameWhateverTheMode() {
        try (Child doctor = doctor(NOTHING_REFUSED, List.of("-Dloomuring.mode=off"))) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(line(doctor, "trial")).startsWith("ok ");
            assertThat(doctor.outputLines())
                    .anyMatch(line -> line.matches(" *loomuring.mode +off"));
        }
    }

    @Test
    void looksTheSameUnderTheAgent() {
        try (Child doctor = doctor(NOTHING_REFUSED, Child.agent())) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(line(doctor, "JDK socket hook")).startsWith("ok ");
            assertThat(line(doctor, "trial")).startsWith("ok ");
            assertThat(doctor.ringOperations()).isPositive();
        }
    }

    @Test
    void speaksJson() {
        try (Child doctor = doctor(NOTHING_REFUSED, List.of(), "--json")) {
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            String json = String.join("\n", doctor.outputLines());
            assertThat(json)
                    .contains("\"canRun\": true")
                    .contains("{\"topic\": \"io_uring\", \"status\": \"ok\", \"detail\": ")
                    .contains("\"loomuring.mode\": \"auto\"");
        }
    }

    @Test
    void theAgentLoadsNeitherTheDoctorNorTheOptionParser() {
        try (Child child = Child.program(Child.agent("-verbose:class"), SwitchProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines())
                    .anyMatch(line -> line.contains("io.loomuring.LoomUring "))
                    .noneMatch(line -> line.contains("picocli"))
                    .noneMatch(line -> line.contains("io.loomuring.Doctor"))
                    .noneMatch(line -> line.contains("io.loomuring.Main"));
        }
    }
}
