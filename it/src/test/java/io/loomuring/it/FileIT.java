package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.FileProbe;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

/** {@code RingFile} in programs: with rings, with rings refused, without any attempt at them. */
class FileIT {
    private static final int THREADS = 1_000;
    private static final int OPERATIONS_MIN = 5; // a virtual thread: open, write, read, statx, ...

    @TempDir private Path folder;

    @Test
    void virtualThreadsUseTheirFilesOnTheRings() {
        check(run(Child.agent()), "UringFile");
    }

    @Test
    void filesAreTheJdksWhereTheKernelRefusesTheRings() {
        var kernel = Confinement.seccomp(Confinement.EPERM, Confinement.IO_URING_SETUP);
        var agent = List.of("-ea", "-javaagent:" + Child.jar());
        check(
                Child.confined(kernel, agent, FileProbe.class, folder.toString(), "" + THREADS),
                "JdkFile");
    }

    @Test
    void filesAreTheJdksWhereNobodyInstallsTheCarriers() {
        check(
                Child.programOn(
                        List.of(Child.testClasses(), Child.jar()),
                        List.of("-ea"),
                        FileProbe.class,
                        folder.toString(),
                        "" + THREADS),
                "JdkFile");
    }

    private Child run(List<String> options) {
        return Child.program(options, FileProbe.class, folder.toString(), "" + THREADS);
    }

    private static void check(Child started, String kind) {
        try (Child child = started) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines()).containsExactly("kind=" + kind, "right=" + THREADS);
            if (kind.equals("UringFile")) {
                System.out.println("ring operations: " + child.ringOperations());
                assertThat(child.ringOperations())
                        .isGreaterThan(OPERATIONS_MIN * (THREADS - THREADS / 10L));
            }
        }
    }
}
