package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.tls.program.Clients;
import io.loomuring.tls.program.Servers;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Others' clients and servers with {@code loomuring.tls=default}, in JVMs of their own. */
@Timeout(60) // seconds a test; interrupts it
class UnchangedIT {
    private static final String WRONG_HOST =
            "No subject alternative DNS name matching localhost found";

    @TempDir Path folder;

    private OpenSsl jvm(Class<?> program, String... arguments) throws IOException {
        Path trusted = folder.resolve("trusted.p12");
        Identities.writeTrustStore("ca", trusted);
        return ChildJvm.start(
                ChildJvm.withLibraries(),
                program,
                List.of(
                        "-Dloomuring.tls=default",
                        "-Djavax.net.ssl.trustStore=" + trusted,
                        "-Djavax.net.ssl.trustStorePassword=changeit",
                        "-Djavax.net.ssl.keyStore=" + OpenSsl.file("client.p12"),
                        "-Djavax.net.ssl.keyStorePassword=changeit",
                        "-XX:TieredStopAtLevel=1"), // it starts sooner
                arguments);
    }

    /** Its output, when it has ended well and all of its TLS was ours. */
    private static String outputOf(OpenSsl jvm) throws IOException, InterruptedException {
        assertThat(jvm.end()).as(jvm::output).isZero();
        jvm.await("engines=[1-9]\\d*\n");
        jvm.await("jsse=0\n");
        return jvm.output();
    }

    private String client(String kind, String... where) throws Exception {
        var arguments = new ArrayList<>(List.of(kind));
        arguments.addAll(List.of(where));
        try (OpenSsl jvm = jvm(Clients.class, arguments.toArray(String[]::new))) {
            return outputOf(jvm);
        }
    }

    /** By a server with the right certificate, and by one with another's. */
    private String askNginx(String kind) throws Exception {
        try (Nginx right = Nginx.start(folder, "server.pem", "TLSv1.2 TLSv1.3");
                Nginx wrong = Nginx.start(folder, "wrong-host.pem", "TLSv1.2 TLSv1.3")) {
            return client(
                    kind,
                    "https://localhost:" + right.port + "/",
                    "https://localhost:" + wrong.port + "/");
        }
    }

    @Test
    @Interop(
            peer = Peer.HTTPS_URL_CONNECTION,
            what = "`loomuring.tls=default`, nginx: right and wrong host")
    void shouldCarryHttpsUrlConnection() throws Exception {
        assertThat(askNginx("HttpsURLConnection"))
                .containsOnlyOnce("ok: ")
                .contains("ok: hello .\n", "SSLHandshakeException", WRONG_HOST, "sockets=2\n");
    }

    @Test
    @Interop(
            peer = Peer.HTTP_CLIENT,
            what = "`loomuring.tls=default`, nginx: HTTP/2, right and wrong host (engines)")
    void shouldCarryTheHttpClient() throws Exception {
        assertThat(askNginx("HttpClient"))
                .containsOnlyOnce("ok: ")
                .contains("ok: hello . by HTTP_2\n", "SSLHandshakeException", WRONG_HOST);
    }

    @Test
    @Interop(
            peer = Peer.OKHTTP,
            what = "`loomuring.tls=default`, nginx: HTTP/2, right and wrong host")
    void shouldCarryOkHttp() throws Exception {
        assertThat(askNginx("OkHttp"))
                .containsOnlyOnce("ok: ")
                .contains("ok: hello . by h2\n", "SSLPeerUnverifiedException", "sockets=2\n");
    }

    @Test
    @Interop(
            peer = Peer.PGJDBC,
            what = "`loomuring.tls=default`, `sslmode=verify-full`: query, right and wrong host")
    void shouldCarryPgjdbc() throws Exception {
        try (PostgresServer server = PostgresServer.start("server.pem")) {
            String options = "/postgres?user=tester&sslmode=verify-full&sslrootcert=";
            String rest = server.port + options + OpenSsl.file("ca.pem");
            // it is at 127.0.0.2, too, which its certificate does not say
            assertThat(
                            client(
                                    "pgjdbc",
                                    "jdbc:postgresql://localhost:" + rest,
                                    "jdbc:postgresql://127.0.0.2:" + rest))
                    .containsOnlyOnce("ok: ")
                    .contains(
                            "ok: true TLSv1.3 100000\n",
                            "The hostname 127.0.0.2 could not be verified",
                            "sockets=2\n");
        }
    }

    @Test
    @Interop(
            peer = Peer.JEDIS,
            what = "`loomuring.tls=default`, `rediss:`: commands, client certificate")
    void shouldCarryJedis() throws Exception {
        int port = OpenSsl.freePort();
        var command = new ArrayList<>(List.of("redis-server", "--port", "0", "--save", ""));
        command.addAll(List.of("--bind", "127.0.0.1", "--tls-port", Integer.toString(port)));
        command.addAll(List.of("--dir", folder.toString(), "--tls-auth-clients", "yes"));
        command.addAll(List.of("--tls-ca-cert-file", OpenSsl.file("ca.pem")));
        command.addAll(List.of("--tls-cert-file", OpenSsl.file("server.pem")));
        command.addAll(List.of("--tls-key-file", OpenSsl.file("server.pem")));
        try (OpenSsl server = OpenSsl.start(command)) {
            server.await("Ready to accept connections");
            assertThat(client("Jedis", "rediss://localhost:" + port))
                    .contains("ok: PONG 100000\n", "sockets=1\n");
        }
    }

    private void checkServer(String kind, String curlOption, String version) throws Exception {
        try (OpenSsl jvm =
                jvm(Servers.class, kind, OpenSsl.file("server.p12"), folder.toString())) {
            String url = "https://localhost:" + jvm.await("port=(\\d+)\n").group(1) + "/";
            for (String protocol : List.of("1.2", "1.3")) {
                try (OpenSsl curl =
                        OpenSsl.start(
                                "curl",
                                "-sS",
                                "--ipv4",
                                curlOption,
                                "--tlsv" + protocol,
                                "--tls-max",
                                protocol,
                                "--cacert",
                                OpenSsl.file("ca.pem"),
                                url,
                                url)) {
                    assertThat(curl.end()).as(() -> curl.output() + jvm.output()).isZero();
                    curl.await("(hello by " + version + "){2}");
                }
            }
            outputOf(jvm);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    @Interop(
            peer = Peer.TOMCAT,
            what = "`loomuring.tls=default`, curl: 2 protocols, HTTP/1.1, HTTP/2 (engines)")
    void shouldCarryTomcat(String curlOption) throws Exception {
        checkServer("Tomcat", curlOption, curlOption.equals("--http2") ? "HTTP/2.0" : "HTTP/1.1");
    }

    @Test
    @Interop(
            peer = Peer.JETTY,
            what = "`loomuring.tls=default`, curl: 2 protocols, HTTP/1.1 (engines)")
    void shouldCarryJetty() throws Exception {
        checkServer("Jetty", "--http1.1", "HTTP/1.1");
    }
}
