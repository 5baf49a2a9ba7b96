package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.DataInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Random;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** With Bouncy Castle's TLS, in both roles. */
@Timeout(60) // seconds a test; interrupts it
class BouncyCastleIT {
    private static final BouncyCastleJsseProvider BC =
            new BouncyCastleJsseProvider(new BouncyCastleProvider());

    private static SSLContext bc(String identity, String issuer) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", BC);
        context.init(Identities.keys(identity), Identities.trust(issuer), null);
        return context;
    }

    private static SSLContext ours(String identity, String issuer) {
        return TlsProvider.OURS.context(
                "TLS", Identities.keys(identity), Identities.trust(issuer));
    }

    /** A client with a certificate, too. */
    private static SSLContext[] clientAndServer(boolean weServe) throws GeneralSecurityException {
        return weServe
                ? new SSLContext[] {bc("client", "ca"), ours("server", "ca")}
                : new SSLContext[] {ours("client", "ca"), bc("server", "ca")};
    }

    private static TlsPair pair(SSLContext[] contexts, String protocol) throws Exception {
        TlsPair pair = TlsPair.of(contexts[0], contexts[1]);
        pair.client.setEnabledProtocols(new String[] {protocol});
        return pair;
    }

    private static void exchange(SSLSocket from, SSLSocket to) throws Exception {
        byte[] sent = new byte[300_000];
        new Random(1).nextBytes(sent);
        var writer =
                Background.start(() -> {
                    from.getOutputStream().write(sent);
                    return null;
                });
        byte[] got = new byte[sent.length];
        new DataInputStream(to.getInputStream()).readFully(got);
        assertThat(got).isEqualTo(sent);
        writer.result();
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2, true", "TLSv1.2, false", "TLSv1.3, true", "TLSv1.3, false"})
    void shouldCarryDataBothWays(String protocol, boolean weServe) throws Exception {
        try (var pair = pair(clientAndServer(weServe), protocol).shakeHands()) {
            assertThat(pair.client.getSession().getProtocol()).isEqualTo(protocol);
            assertThat(pair.client.getSession().getPeerCertificates()[0])
                    .isEqualTo(Identities.certificate("server"));
            exchange(pair.client, pair.server);
            exchange(pair.server, pair.client);
            pair.client.close();
            assertThat(pair.server.getInputStream().read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2, true", "TLSv1.2, false", "TLSv1.3, true", "TLSv1.3, false"})
    void shouldAskForTheClientsCertificate(String protocol, boolean weServe) throws Exception {
        try (var pair = pair(clientAndServer(weServe), protocol)) {
            pair.server.setNeedClientAuth(true);
            pair.shakeHands();
            exchange(pair.client, pair.server);
            assertThat(pair.server.getSession().getPeerCertificates()[0])
                    .isEqualTo(Identities.certificate("client"));
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2, true", "TLSv1.2, false", "TLSv1.3, true", "TLSv1.3, false"})
    void shouldAgreeOnAnApplicationProtocol(String protocol, boolean weServe) throws Exception {
        try (var pair = pair(clientAndServer(weServe), protocol)) {
            for (SSLSocket side : new SSLSocket[] {pair.client, pair.server}) {
                SSLParameters parameters = side.getSSLParameters();
                parameters.setApplicationProtocols(
                        side == pair.client
                                ? new String[] {"h2", "http/1.1"}
                                : new String[] {"http/1.1"});
                side.setSSLParameters(parameters);
            }
            pair.shakeHands();
            assertThat(pair.client.getApplicationProtocol()).isEqualTo("http/1.1");
            assertThat(pair.server.getApplicationProtocol()).isEqualTo("http/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotTrustAnUnknownIssuer(boolean weServe) throws Exception {
        SSLContext client = weServe ? bc("client", "other-ca") : ours("client", "other-ca");
        SSLContext server = weServe ? ours("server", "ca") : bc("server", "ca");
        try (var pair = TlsPair.of(client, server)) {
            var serving = pair.startServer();
            assertThatThrownBy(pair.client::startHandshake).isInstanceOf(SSLException.class);
            assertThat(serving.failure()).isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldFailWithoutACommonProtocol(boolean weServe) throws Exception {
        try (var pair = pair(clientAndServer(weServe), "TLSv1.2")) {
            pair.server.setEnabledProtocols(new String[] {"TLSv1.3"});
            var serving = pair.startServer();
            assertThatThrownBy(pair.client::startHandshake).isInstanceOf(SSLException.class);
            assertThat(serving.failure()).isInstanceOf(SSLException.class);
        }
    }
}
