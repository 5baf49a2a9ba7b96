package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.ring.RingException;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/** What users are told where the kernel refuses: each refusal on each kind of machine. */
class ObstacleTest {
    @BeforeAll
    static void load() {
        Native.load(); // the C library's texts
    }

    private static Obstacle refused(int errno, String ioUringDisabled, boolean seccompFilter) {
        var machine = new Machine("6.1.0", ioUringDisabled, seccompFilter, "65536", "256");
        RingException refusal =
                catchThrowableOfType(
                        RingException.class, () -> RingException.check("io_uring_setup", -errno));
        Obstacle obstacle = Obstacle.of(refusal, machine);
        assertThat(obstacle.reason()).isEqualTo("io_uring_setup: " + Errno.message(errno));
        assertThat(obstacle.line())
                .isEqualTo(obstacle.reason() + ": " + obstacle.remedy())
                .doesNotContain("\n");
        return obstacle;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // sysctl | seccomp | told | not told
                "0 | true | seccomp profile | sysctl",
                "'' | true | seccomp profile | sysctl",
                "1 | false | kernel.io_uring_disabled=0 (it is 1 | seccomp",
                "2 | false | kernel.io_uring_disabled=0 (it is 2 | seccomp",
                "2 | true | kernel.io_uring_disabled=0 (it is 2 | SELinux",
                "2 | true | seccomp profile | SELinux",
                "0 | false | SELinux | seccomp",
            })
    void shouldTellWhoForbidsIt(
            String ioUringDisabled, boolean seccompFilter, String told, String notTold) {
        for (int errno : List.of(Errno.EPERM, Errno.EACCES)) {
            assertThat(refused(errno, ioUringDisabled, seccompFilter).remedy())
                    .contains(told)
                    .doesNotContain(notTold);
        }
    }

    @Test
    void shouldTellThatTheKernelHasNoIoUring() {
        assertThat(refused(Errno.ENOSYS, "", false).remedy())
                .contains("Linux 6.1 or newer", "CONFIG_IO_URING", "this is Linux 6.1.0")
                .doesNotContain("seccomp");
        assertThat(refused(Errno.ENOSYS, "", true).remedy())
                .contains("seccomp profile", "Linux 6.1 or newer");
    }

    @Test
    void shouldTellTheLimitThatIsTooLow() {
        assertThat(refused(Errno.ENOMEM, "0", false).remedy())
                .contains("locked memory, now 65536 bytes", "ulimit -l", "loomuring.carriers");
        assertThat(refused(Errno.EMFILE, "0", false).remedy())
                .contains("open files, now 256", "ulimit -n");
    }

    @Test
    void shouldTellThatTheKernelIsTooOldForTheFlags() {
        assertThat(refused(Errno.EINVAL, "0", false).remedy())
                .contains("Linux 6.1 or newer", "loomuring.ring.flags");
    }

    @Test
    void shouldSendWhoMeetsAnythingElseToTheDoctor() {
        assertThat(refused(Errno.EBADF, "0", false).remedy()).contains("doctor");
    }

    @Test
    void shouldTellWhyCarriersDoNotStart() {
        var noThread = new OutOfMemoryError("unable to create native thread");
        for (Throwable failure :
                List.of(noThread, new IllegalStateException("wrapped", noThread))) {
            assertThat(Obstacle.ofCarriers(failure).line())
                    .contains("unable to create native thread", "ulimit -u");
        }
        assertThat(Obstacle.ofCarriers(new IllegalStateException("strange")).line())
                .contains("strange", "doctor");
    }

    @Test
    void shouldNameWhatAnOldKernelLacks() {
        var machine = new Machine("5.15.0", "", false, "65536", "256");
        Obstacle obstacle =
                Obstacle.missing(List.of("IORING_FEAT_CQE_SKIP", "IORING_OP_SENDMSG_ZC"), machine);
        assertThat(obstacle.line())
                .isEqualTo(
                        "Linux 5.15.0 lacks IORING_FEAT_CQE_SKIP, IORING_OP_SENDMSG_ZC:"
                                + " use Linux 6.1 or newer");
    }
}
