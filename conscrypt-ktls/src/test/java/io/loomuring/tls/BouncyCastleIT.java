package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.TlsFatalAlertReceived;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.cert.CertificateException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/** With Bouncy Castle's JSSE: a TLS that shares no code with BoringSSL, OpenSSL or the JDK's. */
@Timeout(60) // seconds a test; interrupts it
class BouncyCastleIT {
    private static final Provider THEIRS = new BouncyCastleJsseProvider(new BouncyCastleProvider());

    private static SSLContext theirs(String identity, TrustManager... trust) {
        try {
            SSLContext context = SSLContext.getInstance("TLS", THEIRS);
            KeyManager[] keys = Identities.keys(identity, "PKIX", THEIRS);
            context.init(keys, trust.length == 0 ? Identities.trust("ca", THEIRS) : trust, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static SSLContext ours(String identity, TrustManager... trust) {
        return TlsProvider.OURS.context(
                "TLS",
                Identities.keys(identity),
                trust.length == 0 ? Identities.trust("ca") : trust);
    }

    /** Which side is ours; the other one is Bouncy Castle's. */
    enum Ours {
        CLIENT,
        SERVER;

        SSLContext client(String identity, TrustManager... trust) {
            return this == CLIENT ? ours(identity, trust) : theirs(identity, trust);
        }

        SSLContext server(String identity) {
            return this == SERVER ? ours(identity) : theirs(identity);
        }

        TlsPair pair(String protocol) throws IOException {
            TlsPair pair = TlsPair.of(client("client"), server("server"));
            pair.client.setEnabledProtocols(new String[] {protocol});
            return pair;
        }
    }

    static Stream<Arguments> protocols() {
        return Arrays.stream(Ours.values())
                .flatMap(ours ->
                        Cases.PROTOCOLS.stream().map(protocol -> Arguments.of(ours, protocol)));
    }

    static Stream<Arguments> suites() {
        return Arrays.stream(Ours.values())
                .flatMap(ours -> Cases.SUITES.stream().map(suite -> Arguments.of(ours, suite)));
    }

    @ParameterizedTest
    @MethodSource("suites")
    @Interop(peer = Peer.BOUNCY_CASTLE, what = "3 suites, 2 protocols, both roles: data both ways")
    void shouldCarryDataBothWays(Ours ours, String suite) throws Exception {
        byte[] sent = new byte[300_000];
        new Random(1).nextBytes(sent);
        try (TlsPair pair = ours.pair(suite.contains("_WITH_") ? "TLSv1.2" : "TLSv1.3")) {
            SSLSocket choosing = ours == Ours.CLIENT ? pair.server : pair.client;
            choosing.setEnabledCipherSuites(new String[] {suite});
            var echo =
                    Background.start(() -> {
                        pair.server.getInputStream().transferTo(pair.server.getOutputStream());
                        return null;
                    });
            var writer =
                    Background.start(() -> {
                        pair.client.getOutputStream().write(sent);
                        return null;
                    });
            byte[] got = new byte[sent.length];
            new DataInputStream(pair.client.getInputStream()).readFully(got);
            assertThat(got).isEqualTo(sent);
            writer.result();
            assertThat(pair.client.getSession().getCipherSuite()).isEqualTo(suite);
            assertThat(pair.server.getSession().getCipherSuite()).isEqualTo(suite);
            pair.client.close();
            echo.result();
        }
    }

    @ParameterizedTest
    @MethodSource("protocols")
    @Interop(
            peer = Peer.BOUNCY_CASTLE,
            what = "both roles: resumption of TLS 1.2; of TLS 1.3 it knows none")
    void shouldResume(Ours ours, String protocol) throws Exception {
        var counting = new CountingTrust();
        SSLContext client = ours.client("", counting);
        try (ServerSocket listener = TlsProvider.listen(ours.server("server"))) {
            for (int i = 0; i < 3; i++) {
                try (var socket =
                        (SSLSocket)
                                client.getSocketFactory()
                                        .createSocket("localhost", listener.getLocalPort())) {
                    socket.setEnabledProtocols(new String[] {protocol});
                    var serving =
                            Background.start(() -> {
                                try (Socket accepted = listener.accept()) {
                                    accepted.getOutputStream().write(1);
                                    return accepted.getInputStream().read();
                                }
                            });
                    assertThat(socket.getInputStream().read()).isEqualTo(1);
                    socket.getOutputStream().write(2);
                    assertThat(serving.result()).isEqualTo(2);
                }
            }
        }
        // they know no resumption of TLS 1.3
        assertThat(counting.checks).hasValue(protocol.equals("TLSv1.2") ? 1 : 3);
    }

    @ParameterizedTest
    @MethodSource("protocols")
    @Interop(
            peer = Peer.BOUNCY_CASTLE,
            what = "2 protocols, both roles: client certificate, ALPN h2")
    void shouldSettleWhatApplicationsAsk(Ours ours, String protocol) throws Exception {
        try (TlsPair pair = ours.pair(protocol)) {
            pair.server.setNeedClientAuth(true);
            for (SSLSocket socket : new SSLSocket[] {pair.client, pair.server}) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
                socket.setSSLParameters(parameters);
            }
            pair.shakeHands();
            assertThat(pair.client.getApplicationProtocol()).isEqualTo("h2");
            assertThat(pair.server.getApplicationProtocol()).isEqualTo("h2");
            assertThat(pair.server.getSession().getPeerCertificates()[0])
                    .isEqualTo(Identities.certificate("client"));
        }
    }

    @ParameterizedTest
    @MethodSource("protocols")
    @Interop(
            peer = Peer.BOUNCY_CASTLE,
            what = "2 protocols, both roles: close_notify, first from each side")
    void shouldSayAndHearTheEnd(Ours ours, String protocol) throws Exception {
        for (boolean clientFirst : new boolean[] {true, false}) {
            try (TlsPair pair = ours.pair(protocol).shakeHands()) {
                long truncated = TlsCounters.toMap().get("truncated");
                SSLSocket first = clientFirst ? pair.client : pair.server;
                SSLSocket second = clientFirst ? pair.server : pair.client;
                first.getOutputStream().write(3);
                var closing =
                        Background.start(() -> {
                            first.close();
                            return null;
                        });
                assertThat(second.getInputStream().read()).isEqualTo(3);
                // Bouncy Castle's throws where no close_notify came; ours counts it
                assertThat(second.getInputStream().read()).isEqualTo(-1);
                closing.result();
                assertThat(TlsCounters.toMap()).containsEntry("truncated", truncated);
            }
        }
    }

    // ---- which alert they hear, of ours and of the JDK's ----

    static Stream<Arguments> spoilings() {
        return Cases.providersAndProtocols()
                .flatMap(side ->
                        Arrays.stream(ProviderIT.Spoiling.values())
                                .map(spoiling ->
                                        Arguments.of(side.get()[0], side.get()[1], spoiling)));
    }

    @ParameterizedTest
    @MethodSource("spoilings")
    @Interop(peer = Peer.BOUNCY_CASTLE, what = "the alert about a spoiled record, and JSSE's")
    void shouldSayWhatIsWrongWithARecord(
            TlsProvider provider, String protocol, ProviderIT.Spoiling spoiling) throws Exception {
        var armed = new AtomicBoolean();
        Relay.Change spoil =
                (fromClient, record, out) -> {
                    if (fromClient && armed.compareAndSet(true, false)) {
                        spoiling.spoil(record, out);
                    } else {
                        out.write(record);
                    }
                };
        try (TlsPair pair = TlsPair.of(theirs(""), provider.context("server"), spoil)) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.shakeHands();
            pair.server.getOutputStream().write(1);
            assertThat(pair.client.getInputStream().read()).isEqualTo(1);
            var reading =
                    Background.start(() ->
                            pair.server
                                    .getInputStream()
                                    .transferTo(OutputStream.nullOutputStream()));
            armed.set(true);
            pair.client.getOutputStream().write(2);
            Throwable heard = catchThrowable(() -> pair.client.getInputStream().read());
            boolean unexpected = // to BoringSSL a record that doesn't open, too
                    provider == TlsProvider.JSSE
                            && spoiling == ProviderIT.Spoiling.NOT_PROTECTED
                            && protocol.equals("TLSv1.3");
            boolean overflow = // the kernel knows better than BoringSSL
                    spoiling == ProviderIT.Spoiling.OVERSIZE
                            && Ktls.isOurs(pair.server)
                            && Ktls.receiving(pair.server)
                                    .equals(Optional.of(OffloadOutcome.OFFLOADED));
            short expected =
                    unexpected
                            ? AlertDescription.unexpected_message
                            : overflow
                                    ? AlertDescription.record_overflow
                                    : AlertDescription.bad_record_mac;
            assertThat(alert(heard)).as("%s", heard).isEqualTo(expected);
            assertThat(reading.failure()).isInstanceOf(SSLException.class);
        }
    }

    static Stream<Arguments> certificates() {
        return Cases.providersAndProtocols()
                .flatMap(side ->
                        Stream.of("wrong-host", "expired", "self-signed", "unknown-ca")
                                .map(certificate ->
                                        Arguments.of(side.get()[0], side.get()[1], certificate)));
    }

    @ParameterizedTest
    @MethodSource("certificates")
    @Interop(peer = Peer.BOUNCY_CASTLE, what = "the alert about a bad certificate, and JSSE's")
    void shouldSayThatACertificateIsRefused(
            TlsProvider provider, String protocol, String certificate) throws Exception {
        try (ServerSocket listener = TlsProvider.listen(theirs(certificate));
                // stays open, so that the alert is not lost to a server that still writes
                var plain = new Socket(InetAddress.getLoopbackAddress(), listener.getLocalPort());
                var accepted = (SSLSocket) listener.accept();
                var client =
                        (SSLSocket)
                                provider.context("")
                                        .getSocketFactory()
                                        .createSocket(plain, "localhost", 1, false)) {
            SSLParameters parameters = client.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            parameters.setProtocols(new String[] {protocol});
            client.setSSLParameters(parameters);
            var serving =
                    Background.start(() -> {
                        accepted.startHandshake();
                        return accepted.getInputStream().read();
                    });
            assertThatThrownBy(client::startHandshake)
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasCauseInstanceOf(CertificateException.class);
            boolean expired = // Conscrypt tells the peer no reason
                    provider == TlsProvider.JSSE && certificate.equals("expired");
            Throwable heard = serving.failure();
            assertThat(alert(heard))
                    .as("%s", heard)
                    .isEqualTo(
                            expired
                                    ? AlertDescription.certificate_expired
                                    : AlertDescription.certificate_unknown);
        }
    }

    /** What they heard; null: no alert. */
    private static Short alert(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof TlsFatalAlertReceived received) {
                return received.getAlertDescription();
            }
        }
        return null;
    }
}
