package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** No io_uring, and the program is to run all the same. */
class InstallAutoTest {
    @Test
    void shouldSayWhyInOneLineAndLeaveTheJdksOwn() throws Exception {
        System.setProperty("loomuring.mode", "auto");
        PrintStream err = System.err;
        var printed = new ByteArrayOutputStream();
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            boolean installed =
                    Refused.after(
                            () -> Seccomp.refuse(Seccomp.IO_URING_SETUP, Errno.ENOSYS),
                            LoomUring::install);
            assertThat(installed).isFalse();
            assertThat(LoomUring.install()).as("a second time").isFalse();
            assertThat(carrierOfAThreadOfTheFactory()).contains("@ForkJoinPool-");
        } finally {
            System.setErr(err);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .singleElement()
                .asString()
                .startsWith("loom-uring: not active: ")
                .contains("Function not implemented", "Linux 6.1");
        assertThat(Refused.carriers()).isZero();
        assertThat(LoomUring.counters().operations).isZero();
        assertThat(System.getProperty("java.nio.channels.spi.SelectorProvider")).isNull();
        Running<String> thread = Running.onVirtual(() -> Thread.currentThread().toString());
        assertThat(thread.result()).contains("@ForkJoinPool-");
    }

    private static String carrierOfAThreadOfTheFactory() throws Exception {
        return Running.on(LoomUring.threadFactory(), () -> Thread.currentThread().toString())
                .result();
    }
}
