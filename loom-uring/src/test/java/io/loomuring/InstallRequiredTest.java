package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Errno;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.Test;

/** No io_uring, and it is required. */
class InstallRequiredTest {
    @Test
    void shouldRefuseToStartWithReasonAndRemedy() throws Exception {
        System.setProperty("loomuring.mode", "required");
        Refused.after(
                () -> Seccomp.refuse(Seccomp.IO_URING_SETUP, Errno.EPERM),
                () ->
                        assertThatThrownBy(LoomUring::install)
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContainingAll(
                                        "io_uring_setup: Operation not permitted",
                                        "seccomp profile"));
        assertThat(Refused.carriers()).isZero();
        assertThatThrownBy(LoomUring::install).isInstanceOf(IllegalStateException.class);
    }
}
