package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.Test;

/** Memory for rings, but not for rings of the size asked for. */
class SmallerRingsTest {
    private static final int CARRIERS = 2;
    private static final int ENTRIES_ALLOWED = 64;

    @Test
    void shouldHalveTheRingsUntilTheyFit() throws Exception {
        System.setProperty("loomuring.carriers", Integer.toString(CARRIERS));
        System.setProperty("loomuring.entries", Integer.toString(8 * ENTRIES_ALLOWED));
        // no spare, so that the carriers can be counted
        System.setProperty("jdk.virtualThreadScheduler.maxPoolSize", Integer.toString(CARRIERS));
        boolean installed =
                Refused.after(
                        () ->
                                Seccomp.refuseIfGreater(
                                        0, ENTRIES_ALLOWED, Seccomp.IO_URING_SETUP, Errno.ENOMEM),
                        LoomUring::install);
        assertThat(installed).isTrue();
        Await.until("no others are left", () -> Refused.carriers() == CARRIERS);
        Running<String> thread = Running.onVirtual(() -> Thread.currentThread().toString());
        assertThat(thread.result()).contains("@loom-uring-carrier-");
    }
}
