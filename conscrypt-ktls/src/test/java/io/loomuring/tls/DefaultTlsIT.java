package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.tls.program.DefaultProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code loomuring.tls}, in JVMs of their own. */
@Timeout(60) // seconds a test; interrupts it
class DefaultTlsIT {
    private static OpenSsl run(String classPath, String... options) throws IOException {
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-javaagent:" + System.getProperty("loomuring.jar"),
                                "-Dloomuring.mode=required"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", classPath, DefaultProvider.class.getName()));
        return OpenSsl.start(command);
    }

    private static String testClasses() {
        return Path.of(
                        DefaultTlsIT.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .getPath())
                .toString();
    }

    private static String withJar() {
        return testClasses() + ":" + System.getProperty("conscrypt-ktls.jar");
    }

    /** The jar alone: what it needs is named in its manifest. */
    @Test
    void shouldBeTheDefaultWhereThatIsAsked() throws Exception {
        try (OpenSsl jvm = run(withJar(), "-Dloomuring.tls=default")) {
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
        try (OpenSsl jvm = run(withJar())) {
            assertThat(jvm.end()).as(jvm::output).isZero();
            jvm.await("default=SunJSSE");
        }
    }

    @Test
    void shouldRefuseToStartWithoutTheJar() throws Exception {
        try (OpenSsl jvm = run(testClasses(), "-Dloomuring.tls=default")) {
            assertThat(jvm.end()).isEqualTo(1);
            jvm.await(
                    "loomuring.tls is \"default\", but conscrypt-ktls.jar is not on the class"
                            + " path");
        }
    }
}
