package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.tls.program.DefaultProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.util.List;

/** {@code loomuring.tls}, in JVMs of their own. */
@Timeout(60) // seconds a test; interrupts it
class DefaultTlsIT {
    private static OpenSsl run(String classPath, String... options) throws IOException {
        return ChildJvm.start(classPath, DefaultProvider.class, List.of(options));
    }

    @Test
    void shouldBeTheDefaultWhereThatIsAsked() throws Exception {
        try (OpenSsl jvm = run(ChildJvm.withJar(), "-Dloomuring.tls=default")) {
            assertThat(jvm.end()).as(jvm::output).isZero();
            jvm.await("https=.*\\n");
            assertThat(jvm.output())
                    .contains(
                            "default=LoomUringTLS",
                            "TLS=LoomUringTLS",
                            "TLSv1.2=LoomUringTLS",
                            "TLSv1.3=LoomUringTLS",
                            "factory=io.loomuring.tls.KtlsSocketFactory",
                            "https=io.loomuring.tls.KtlsSocketFactory")
                    .doesNotContain("WARNING");
        }
    }

    @Test
    void shouldLeaveTheDefaultAloneElse() throws Exception {
        try (OpenSsl jvm = run(ChildJvm.withJar())) {
            assertThat(jvm.end()).as(jvm::output).isZero();
            jvm.await("default=SunJSSE");
        }
    }

    @Test
    void shouldRefuseToStartWithoutTheJar() throws Exception {
        try (OpenSsl jvm = run(ChildJvm.testClasses(), "-Dloomuring.tls=default")) {
            assertThat(jvm.end()).isEqualTo(1);
            jvm.await(
                    "loomuring.tls is \"default\", but conscrypt-ktls.jar is not on the class"
                            + " path");
        }
    }
}
