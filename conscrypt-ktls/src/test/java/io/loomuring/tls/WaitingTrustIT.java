package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** Trust managers are called from native code: who waits there keeps a carrier. */
@Timeout(60) // seconds a test; interrupts it
class WaitingTrustIT {
    @Test
    void shouldShakeOtherHandsWhileATrustManagerKeepsTheOnlyCarrier() throws Exception {
        try (OpenSsl jvm =
                ChildJvm.start(
                        ChildJvm.withLibraries(),
                        WaitingTrustManagers.class,
                        List.of("-Dloomuring.carriers=1"))) {
            assertThat(jvm.end()).as(jvm::output).isZero();
            jvm.await("(answer=7\n){3}done");
        }
    }
}
