package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.dns.Java.Result;
import io.loomuring.dns.ScriptedServer.Asked;
import io.loomuring.dns.program.LoggingProvider;
import io.loomuring.dns.program.LookAtFiles;
import io.loomuring.dns.program.PinnedLookup;
import io.loomuring.dns.program.Resolve;
import io.loomuring.dns.program.ResolvingProvider;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The packed jar beneath {@code InetAddress}. */
class ResolverIT {
    private static final String[] ZONE = {
        "host.test. 60 A 10.0.0.1",
        "host.test. 60 AAAA fd00::1",
        "other.test. 60 A 10.0.0.7",
        "log.here.test. 60 A 10.0.0.8",
        "log.there.test. 60 A 10.0.0.9",
        "1.0.0.10.in-addr.arpa. 60 PTR host.test.",
    };

    @TempDir Path folder;
    private ScriptedServer server;
    private Fixture files;

    @BeforeEach
    void start() {
        server = new ScriptedServer(ResolverIT::zone);
        files = new Fixture(folder, "nameserver 127.0.0.1\nsearch test\n");
    }

    @AfterEach
    void end() {
        server.close();
    }

    private static List<?> zone(Asked asked) {
        return List.of(asked.fromZone(ZONE));
    }

    private Result run(List<String> more, List<String> jars, Class<?> program, String... names) {
        var options = new ArrayList<>(more);
        options.addAll(Java.dnsOptions(files, server.port()));
        var classPath = new ArrayList<>(jars);
        classPath.add(Java.testClasses());
        return Java.run(folder, options, classPath, program, names);
    }

    private static List<String> withoutReport(List<String> errors) {
        return errors.stream().filter(line -> !line.startsWith("loom-uring: ")).toList();
    }

    private static long ringOperations(Result result) {
        String prefix = "loom-uring: ring operations: ";
        return result.errors().stream()
                .filter(line -> line.startsWith(prefix))
                .mapToLong(line -> Long.parseLong(line.substring(prefix.length())))
                .findFirst()
                .orElse(0);
    }

    // ---- it resolves ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldResolveForAnUnmodifiedProgram(boolean agent) {
        Result result =
                run(
                        agent ? Java.agent() : List.of(),
                        List.of(Java.dnsj()),
                        Resolve.class,
                        "host.test",
                        "host",
                        "localhost",
                        "10.0.0.1",
                        "nothing.test");
        assertThat(result.output().subList(0, 4))
                .containsExactly(
                        "host.test 10.0.0.1 fd00:0:0:0:0:0:0:1",
                        "host 10.0.0.1 fd00:0:0:0:0:0:0:1",
                        "localhost 127.0.0.1 0:0:0:0:0:0:0:1",
                        "10.0.0.1 host.test");
        assertThat(result.output().get(4)).startsWith("nothing.test failed: nothing.test: no such");
        assertThat(withoutReport(result.errors())).isEmpty();
        if (agent) {
            assertThat(ringOperations(result)).isPositive();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-Djava.net.preferIPv6Addresses=true, fd00:0:0:0:0:0:0:1 10.0.0.1",
        "-Djava.net.preferIPv4Stack=true, 10.0.0.1"
    })
    void shouldFollowTheJdksProperties(String option, String expected) {
        Result result = run(List.of(option), List.of(Java.dnsj()), Resolve.class, "host.test");
        assertThat(result.output()).containsExactly("host.test " + expected);
    }

    @Test
    void shouldLeaveAllToTheJdkWhenOff() {
        Result result =
                run(
                        List.of("-Dloomuring.dns=off"),
                        List.of(Java.dnsj()),
                        Resolve.class,
                        "localhost",
                        "host.test");
        assertThat(result.output().getFirst()).startsWith("localhost 127.0.0.1");
        assertThat(result.output().get(1)).contains("failed");
        assertThat(server.asked).isEmpty();
        assertThat(result.errors()).isEmpty();
    }

    /** By the JDK's means each look would keep its carrier. */
    @Test
    void shouldLookForChangedFilesOnTheRing() {
        Fixture.write(files.hosts, "10.0.0.5 first.test\n10.0.0.6 second.test\n");
        Result result =
                run(
                        Java.agent(),
                        List.of(Java.dnsj()),
                        LookAtFiles.class,
                        "first.test",
                        "second.test");
        assertThat(result.errors()).noneMatch(line -> line.contains("Exception"));
        assertThat(result.output()).containsExactly("3"); // a statx for each file
    }

    // ---- it can't ----

    @ParameterizedTest
    @CsvSource({
        "-Dloomuring.dns.resolvConf=/no/such/file, /no/such/file",
        "-Dloomuring.dns.port=x, loomuring.dns.port is \"x\"",
        "-Dloomuring.dns.port=70000, port is 70000",
        "-Dloomuring.dns=maybe, loomuring.dns is \"maybe\""
    })
    void shouldFallBackWithOneLineWhenItCantBeConfigured(String option, String reason) {
        var options = new ArrayList<>(Java.dnsOptions(files, server.port()));
        options.add(option);
        Result result =
                Java.run(
                        folder,
                        options,
                        List.of(Java.dnsj(), Java.testClasses()),
                        Resolve.class,
                        "localhost",
                        "host.test",
                        "localhost");
        assertThat(result.output().getFirst()).startsWith("localhost 127.0.0.1");
        assertThat(result.errors())
                .singleElement()
                .asString()
                .startsWith("dnsj: ")
                .contains(reason);
        assertThat(server.asked).isEmpty();
    }

    @Test
    void shouldFallBackWithOneLineWhenItsLibrariesAreMissing() throws IOException {
        Path alone = Files.copy(Path.of(Java.dnsj()), folder.resolve("dnsj.jar"));
        Result result =
                run(List.of(), List.of(alone.toString()), Resolve.class, "localhost", "host.test");
        assertThat(result.output().getFirst()).startsWith("localhost 127.0.0.1");
        assertThat(result.errors()).singleElement().asString().startsWith("dnsj: ");
    }

    // ---- it never waits for itself ----

    @Test
    void shouldResolveWhileLoggingStarts() throws IOException {
        Path services = Files.createDirectories(folder.resolve("app/META-INF/services"));
        Files.writeString(
                services.resolve("org.slf4j.spi.SLF4JServiceProvider"),
                LoggingProvider.class.getName());
        Result result =
                run(
                        List.of(),
                        List.of(Java.dnsj(), folder.resolve("app").toString()),
                        Resolve.class,
                        "host.test");
        assertThat(result.output())
                .containsExactly(
                        "logging here 10.0.0.8",
                        "logging there 10.0.0.9",
                        "host.test 10.0.0.1 fd00:0:0:0:0:0:0:1");
        assertThat(result.errors()).isEmpty();
    }

    @Test
    void shouldResolveWhenASecurityProviderResolves() {
        Result result = run(List.of(), List.of(Java.dnsj()), ResolvingProvider.class, "host.test");
        assertThat(result.output()).contains("host.test 10.0.0.1 fd00:0:0:0:0:0:0:1");
        assertThat(result.errors()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldResolveWhenTheOnlyCarrierIsPinned(boolean agent) {
        var options = new ArrayList<>(agent ? Java.agent() : List.of());
        options.add("-Djdk.virtualThreadScheduler.parallelism=1");
        options.add("-Djdk.virtualThreadScheduler.maxPoolSize=1");
        Result result = run(options, List.of(Java.dnsj()), PinnedLookup.class);
        assertThat(result.output()).containsExactly("10.0.0.1", "10.0.0.7");
    }

    // ---- dnsjava has a provider of its own ----

    @Test
    void shouldBePreferredToDnsjavasOwnProviderWhenItComesFirst() throws IOException {
        Result result = run(List.of(), List.of(Java.dnsj(), dnsjava()), Resolve.class, "host.test");
        assertThat(result.output()).containsExactly("host.test 10.0.0.1 fd00:0:0:0:0:0:0:1");
    }

    private static String dnsjava() throws IOException {
        Path lib = Path.of(Java.dnsj()).resolveSibling("lib");
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(lib, "dnsjava-*.jar")) {
            return jars.iterator().next().toString();
        }
    }
}
