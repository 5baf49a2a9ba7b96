package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Capability;

import io.loomuring.it.containers.program.EchoServer;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.images.builder.ImageFromDockerfile;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * An image of nothing but a runtime by jlink, the C library and two jars, as those that are called
 * distroless: no shell, no package, no user database, no folder that could be written to.
 */
@ExtendWith(Engine.class)
class SmallImageIT {
    /** What the agent needs; docs/containers.md names them. */
    private static final String MODULES = "java.base,java.instrument,jdk.management";

    private static final int CONNECTIONS = 20;
    private static final int MESSAGES = 10;

    @TempDir private static Path folder;
    private static String image;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        Path runtime = folder.resolve("runtime");
        Process jlink =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "jlink").toString(),
                                "--add-modules",
                                MODULES,
                                "--strip-debug",
                                "--no-header-files",
                                "--no-man-pages",
                                "--output",
                                runtime.toString())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(jlink.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jlink.waitFor()).as(output).isZero();

        String dockerfile =
                """
                FROM %s AS debian
                FROM scratch
                COPY --from=debian /lib64/ld-linux-x86-64.so.2 /lib64/
                COPY --from=debian /lib/x86_64-linux-gnu/libc.so.6 \\
                    /lib/x86_64-linux-gnu/libm.so.6 /lib/x86_64-linux-gnu/libdl.so.2 \\
                    /lib/x86_64-linux-gnu/libpthread.so.0 /lib/x86_64-linux-gnu/librt.so.1 /lib/
                COPY runtime /runtime
                COPY loom-uring.jar app.jar /app/
                USER 65532:65532
                ENTRYPOINT ["/runtime/bin/java", "-javaagent:/app/loom-uring.jar", \\
                    "-Dloomuring.mode=required", "-Dloomuring.report=on", "-cp", "/app/app.jar"]
                """
                        .formatted(Engine.IMAGE);
        image =
                new ImageFromDockerfile()
                        .withFileFromString("Dockerfile", dockerfile)
                        .withFileFromPath("runtime", runtime)
                        .withFileFromPath("loom-uring.jar", Jvm.agentJar())
                        .withFileFromPath("app.jar", Jvm.programsJar())
                        .withBuildImageCmdModifier(
                                command -> command.withLabels(LocalContainer.LABELS))
                        .get();
        long bytes = DockerClientFactory.lazyClient().inspectImageCmd(image).exec().getSize();
        System.out.println("small image: " + (bytes >> 20) + " MiB");
    }

    @Test
    void runsOnTheRingsWhereNothingElseIs() throws IOException, InterruptedException {
        try (var network = Networks.create();
                var server =
                        LocalContainer.ofImage(image, List.of(EchoServer.class.getName()))
                                .seccomp(Seccomp.shipped())
                                .securityOption("no-new-privileges", "true")
                                .host(host ->
                                        host.withCapDrop(Capability.ALL).withReadonlyRootfs(true))
                                .withNetwork(network)
                                .withNetworkAliases("server")) {
            server.start();
            server.awaitValue("port");
            for (String program : List.of("/bin/sh", "sh", "/bin/busybox")) {
                assertThat(server.execInContainer(program).getExitCode()).isIn(126, 127);
            }
            EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
            server.endOnRings();
        }
    }
}
