package io.loomuring.it;

import static io.loomuring.it.Confinement.EMFILE;
import static io.loomuring.it.Confinement.ENOMEM;
import static io.loomuring.it.Confinement.ENOSYS;
import static io.loomuring.it.Confinement.EPERM;
import static io.loomuring.it.Confinement.IO_URING_ENTER;
import static io.loomuring.it.Confinement.IO_URING_REGISTER;
import static io.loomuring.it.Confinement.IO_URING_SETUP;
import static io.loomuring.it.Confinement.MEMFD_CREATE;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Where loom-uring can't run: one line says why and what to do, and the program runs on the JDK's
 * own; where it is required, the JVM ends with the same line.
 */
class FallbackIT {
    private static final String NOT_ACTIVE = "loom-uring: not active: ";
    private static final String REQUIRED = "loom-uring: required, but ";

    private static final List<String> PROVIDER =
            List.of(
                    "-Djava.nio.channels.spi.SelectorProvider=" + Child.PROVIDER,
                    "--enable-native-access=ALL-UNNAMED");

    private static final Path IO_URING_DISABLED = Path.of("/proc/sys/kernel/io_uring_disabled");

    @TempDir private Path folder;

    /** A kernel that refuses, the reason that is told, the remedy. */
    record Refusal(Confinement kernel, String reason, String remedy) {}

    static Stream<Refusal> refusals() {
        return Stream.of(
                new Refusal(
                        Confinement.seccomp(
                                EPERM, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER),
                        "io_uring_setup: Operation not permitted",
                        "seccomp profile"),
                new Refusal(
                        Confinement.seccomp(EPERM, IO_URING_ENTER),
                        "io_uring_enter: Operation not permitted",
                        "seccomp profile"),
                new Refusal(
                        Confinement.seccomp(EPERM, IO_URING_REGISTER),
                        "io_uring_register(PROBE): Operation not permitted",
                        "seccomp profile"),
                new Refusal(
                        Confinement.seccomp(ENOSYS, IO_URING_SETUP),
                        "io_uring_setup: Function not implemented",
                        "Linux 6.1 or newer"),
                new Refusal(
                        Confinement.seccomp(ENOMEM, IO_URING_SETUP),
                        "io_uring_setup: Cannot allocate memory",
                        "ulimit -l"),
                new Refusal(
                        Confinement.seccomp(EMFILE, IO_URING_SETUP),
                        "io_uring_setup: Too many open files",
                        "ulimit -n"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void theAgentSaysInOneLineWhatTheKernelRefuses(Refusal refusal) {
        check(refusal.kernel(), List.of(), refusal.reason(), refusal.remedy());
    }

    /** One kernel has one value: only where this kernel was started for the tests. */
    @ParameterizedTest
    @CsvSource({"1, only for privileged processes", "2, for nobody"})
    void theAgentSaysInOneLineThatASysctlForbidsRings(String disabled, String whom)
            throws IOException {
        assumeTrue(System.getenv("KTLS_VM_RESULTS") != null, "a kernel that is not ours alone");
        assumeTrue(Files.exists(IO_URING_DISABLED), "Linux has it since 6.6");
        Files.writeString(IO_URING_DISABLED, disabled);
        try {
            check(
                    Confinement.without("sys_admin"),
                    List.of(),
                    "io_uring_setup: Operation not permitted",
                    "kernel.io_uring_disabled=0 (it is " + disabled + ": " + whom);
            if (disabled.equals("1")) {
                try (Child privileged = Child.program(Child.agent(), SwitchProbe.class)) {
                    Switched.endOf(privileged).checkAllOurs();
                }
            }
        } finally {
            Files.writeString(IO_URING_DISABLED, "0");
        }
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void theProviderSaysInOneLineWhatTheKernelRefuses(Refusal refusal) {
        try (Child child = Child.confined(refusal.kernel(), PROVIDER, SwitchProbe.class)) {
            Switched.endOf(child).checkAllTheJdks();
            assertThat(onlyLine(child)).contains(refusal.reason(), refusal.remedy());
        }
    }

    @Test
    void theProviderRefusesTheFirstChannelWhereTheRingsAreRequired() {
        Refusal refusal = refusals().findFirst().orElseThrow();
        var options = new ArrayList<>(PROVIDER);
        options.add("-Dloomuring.mode=required");
        try (Child child = Child.confined(refusal.kernel(), options, SwitchProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(1);
            assertThat(child.outputLines()).noneMatch(line -> line.startsWith("channel="));
            assertThat(child.errorLines())
                    .filteredOn(line -> line.contains(REQUIRED + refusal.reason()))
                    .singleElement()
                    .asString()
                    .contains(refusal.remedy());
        }
    }

    /** The provider reaches the JDK's own channels by the library; there is a way without. */
    @Test
    void theProviderNeedsAnExportToReachTheJdksChannelsWithoutTheNativeLibrary() {
        var where =
                Confinement.mounted("noexec", folder)
                        .then(Confinement.seccomp(EPERM, MEMFD_CREATE));
        var options = new ArrayList<>(PROVIDER);
        options.add("-Djava.io.tmpdir=" + folder);
        String export = "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED";
        try (Child child = Child.confined(where, options, SwitchProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(1);
            assertThat(child.errorLines().getFirst())
                    .startsWith(NOT_ACTIVE + "native library not loadable");
            assertThat(child.errorLines()).anyMatch(line -> line.contains(export));
        }
        options.add(export);
        try (Child child = Child.confined(where, options, SwitchProbe.class)) {
            Switched.endOf(child).checkAllTheJdks();
            assertThat(onlyLine(child)).startsWith(NOT_ACTIVE + "native library not loadable");
        }
    }

    @Test
    void theAgentSaysInOneLineThatTheNativeLibraryCannotBeLoaded() {
        check(
                Confinement.mounted("noexec", folder)
                        .then(Confinement.seccomp(EPERM, MEMFD_CREATE)),
                List.of("-Djava.io.tmpdir=" + folder),
                "native library not loadable",
                "-Djava.io.tmpdir");
    }

    @ParameterizedTest
    @ValueSource(strings = {"noexec", "ro"})
    void aTemporaryFolderThatForbidsCodeOrFilesIsNoObstacle(String option) {
        var options = Child.agent("-Djava.io.tmpdir=" + folder);
        var where = Confinement.mounted(option, folder);
        try (Child child = Child.confined(where, options, SwitchProbe.class)) {
            assertThat(Switched.endOf(child).get("after")).startsWith("loom-uring-carrier-");
            System.out.println("ring operations: " + child.ringOperations());
            assertThat(child.ringOperations()).isPositive();
        }
    }

    /** A JDK in which something of the hook has another name. */
    @ParameterizedTest
    @CsvSource({
        "java.lang.VirtualThread, DEFAULT_SCHEDULER",
        "sun.nio.ch.Net, inet4LoopbackAddress",
    })
    void theAgentSaysInOneLineThatItDoesNotKnowTheJdk(String type, String member)
            throws IOException {
        renameIn(type, member);
        check(
                Confinement.seccomp(EPERM), // it refuses nothing
                List.of("--patch-module", "java.base=" + folder),
                type + "." + member,
                "use JDK 25");
    }

    /** Virtual threads are platform threads then, and have no scheduler that could be ours. */
    @Test
    void theAgentSaysInOneLineThatTheJvmHasNoContinuations() {
        List<String> options = List.of("-XX:+UnlockExperimentalVMOptions", "-XX:-VMContinuations");
        check(
                Confinement.seccomp(EPERM), // it refuses nothing
                options,
                "this JVM has no continuations",
                "remove -XX:-VMContinuations",
                Switched::checkNothingOurs);
    }

    private void renameIn(String type, String member) throws IOException {
        String file = type.replace('.', '/') + ".class";
        String bytes;
        try (InputStream in = ClassLoader.getSystemResourceAsStream(file)) {
            bytes = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
        assertThat(bytes).contains(member);
        String other = member.substring(1) + "_"; // as long, so nothing moves
        Path patched = folder.resolve(file);
        Files.createDirectories(patched.getParent());
        Files.writeString(patched, bytes.replace(member, other), StandardCharsets.ISO_8859_1);
    }

    /** Both modes. */
    private static void check(
            Confinement where, List<String> options, String reason, String remedy) {
        check(where, options, reason, remedy, Switched::checkAllTheJdks);
    }

    private static void check(
            Confinement where,
            List<String> options,
            String reason,
            String remedy,
            Consumer<Switched> checkSwitched) {
        var agent = new ArrayList<>(options);
        agent.add("-javaagent:" + Child.jar());
        String line;
        try (Child child = Child.confined(where, agent, SwitchProbe.class)) {
            checkSwitched.accept(Switched.endOf(child));
            line = onlyLine(child);
            System.out.println(where + ": " + line);
            assertThat(line).startsWith(NOT_ACTIVE + reason).contains(": ", remedy);
        }
        agent.add("-Dloomuring.mode=required");
        try (Child child = Child.confined(where, agent, SwitchProbe.class)) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(1);
            assertThat(child.outputLines()).isEmpty();
            assertThat(withoutFiles(onlyLine(child)))
                    .isEqualTo(withoutFiles(line).replace(NOT_ACTIVE, REQUIRED));
        }
    }

    private static String onlyLine(Child child) {
        assertThat(child.errorLines()).as("%s", child).hasSize(1);
        return child.errorLines().getFirst();
    }

    private static String withoutFiles(String line) {
        return line.replaceAll("loom-uring-[0-9]+", "FOLDER");
    }
}
