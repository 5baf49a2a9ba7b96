package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** With programs of others; one that is not installed is a skip. The JDK's JSSE: ProviderIT. */
@Timeout(60) // seconds a test; interrupts it
class InteropIT {
    @TempDir Path folder;

    private static SSLServerSocket listener(TlsProvider provider) throws IOException {
        return TlsProvider.listen(provider.context("server"));
    }

    /** Answers requests of HTTP/1.1 until the client leaves. */
    private static Void serve(Socket accepted) throws IOException {
        try (accepted) {
            var in =
                    new BufferedReader(
                            new InputStreamReader(
                                    accepted.getInputStream(), StandardCharsets.US_ASCII));
            String line;
            while ((line = in.readLine()) != null) {
                if (line.isEmpty()) {
                    accepted.getOutputStream()
                            .write(
                                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                                            .getBytes(StandardCharsets.US_ASCII));
                }
            }
        }
        return null;
    }

    @ParameterizedTest
    @EnumSource
    @Interop(peer = Peer.CURL, what = "requests, a connection used twice")
    void shouldServeCurl(TlsProvider provider) throws Exception {
        try (SSLServerSocket listener = listener(provider)) {
            String url = "https://localhost:" + listener.getLocalPort() + "/";
            try (OpenSsl curl =
                    OpenSsl.start(
                            "curl",
                            "-sS",
                            "--ipv4",
                            "--cacert",
                            OpenSsl.file("ca.pem"),
                            url,
                            url)) {
                var serving = Background.start(() -> serve(listener.accept()));
                assertThat(curl.end()).as(curl::output).isZero();
                curl.await("hellohello");
                serving.result();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Interop(peer = Peer.OPENSSL, what = "KeyUpdate by `s_client`, each side")
    void shouldGoOnAfterOpenSslsKeyUpdate(TlsProvider provider) throws Exception {
        try (SSLServerSocket listener = listener(provider);
                OpenSsl client = OpenSsl.client(listener.getLocalPort(), List.of("-tls1_3"));
                Socket accepted = listener.accept()) {
            InputStream in = accepted.getInputStream();
            client.tell("one\n");
            assertThat(in.readNBytes(4)).asString().isEqualTo("one\n");
            for (int i = 0; i < 3; i++) {
                client.tell("K\n"); // asks for the peer's, too
                client.await("(?s)(KEYUPDATE.*){" + (i + 1) + "}");
                client.tell("two\n");
                assertThat(in.readNBytes(4)).asString().isEqualTo("two\n");
                accepted.getOutputStream()
                        .write(("answer" + i + "\n").getBytes(StandardCharsets.US_ASCII));
                client.await("answer" + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    @Interop(
            peer = Peer.OPENSSL,
            what = "`s_client`, 2 protocols: client certificate, ALPN, half-close")
    void shouldSettleWithOpenSslWhatApplicationsAsk(TlsProvider provider, String protocol)
            throws Exception {
        try (SSLServerSocket listener = listener(provider)) {
            listener.setNeedClientAuth(true);
            SSLParameters parameters = listener.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            listener.setSSLParameters(parameters);
            try (OpenSsl client =
                            OpenSsl.client(
                                    listener.getLocalPort(),
                                    List.of(
                                            protocol.equals("TLSv1.3") ? "-tls1_3" : "-tls1_2",
                                            "-alpn",
                                            "http/1.1,h2",
                                            "-cert",
                                            OpenSsl.file("client.pem"),
                                            "-key",
                                            OpenSsl.file("client.pem")));
                    var accepted = (SSLSocket) listener.accept()) {
                client.tell("one\n");
                assertThat(accepted.getInputStream().readNBytes(4)).asString().isEqualTo("one\n");
                assertThat(accepted.getApplicationProtocol()).isEqualTo("h2");
                assertThat(accepted.getSession().getPeerCertificates()[0])
                        .isEqualTo(Identities.certificate("client"));
                accepted.shutdownOutput();
                client.await("ALPN protocol: h2");
                assertThat(client.end()).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    @Interop(peer = Peer.NGINX, what = "2 protocols: a request, resumption")
    void shouldAskNginx(TlsProvider provider, String protocol) throws Exception {
        SSLContext context = provider.context("");
        try (Nginx nginx = Nginx.start(folder, "server.pem", protocol)) {
            for (String reused : List.of(".", "r")) {
                try (Socket socket =
                        context.getSocketFactory().createSocket("localhost", nginx.port)) {
                    socket.getOutputStream()
                            .write(
                                    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                            .getBytes(StandardCharsets.US_ASCII));
                    assertThat(socket.getInputStream().readAllBytes())
                            .asString()
                            .endsWith("hello " + reused);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Interop(peer = Peer.HTTPS_URL_CONNECTION, what = "our factory: right and wrong host")
    void shouldCheckTheHostOfHttpsUrlsByDefault(TlsProvider provider) throws Exception {
        for (String certificate : List.of("server", "wrong-host")) {
            try (ServerSocket listener =
                    TlsProvider.listen(TlsProvider.JSSE.context(certificate))) {
                Background.start(() -> serve(listener.accept()));
                var url = URI.create("https://localhost:" + listener.getLocalPort() + "/").toURL();
                var connection = (HttpsURLConnection) url.openConnection();
                connection.setSSLSocketFactory(provider.context("").getSocketFactory());
                if (certificate.equals("server")) {
                    try (InputStream in = connection.getInputStream()) {
                        assertThat(in.readAllBytes()).asString().isEqualTo("hello");
                    }
                } else {
                    assertThatThrownBy(connection::getInputStream)
                            .isInstanceOf(SSLHandshakeException.class);
                }
                connection.disconnect();
            }
        }
    }
}
