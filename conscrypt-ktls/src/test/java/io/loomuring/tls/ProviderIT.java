package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/** What applications rely on in sockets of any provider of TLS. */
@Timeout(60) // seconds a test; interrupts it
@Interop(peer = Peer.JSSE, what = "all of `ProviderIT`: each side ours or JSSE's")
class ProviderIT {
    private static TlsPair pair(TlsProvider client, TlsProvider server) throws IOException {
        return TlsPair.of(client.context(""), server.context("server"));
    }

    private static TlsPair pair(TlsProvider client, TlsProvider server, String protocol)
            throws IOException {
        TlsPair pair = pair(client, server);
        pair.client.setEnabledProtocols(new String[] {protocol});
        return pair;
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    // ---- data ----

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldCarryDataBothWays(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        byte[] sent = random(300_000);
        try (var pair = pair(client, server, protocol)) {
            var echo =
                    Background.start(() -> {
                        pair.server.getInputStream().transferTo(pair.server.getOutputStream());
                        return null;
                    });
            var writer =
                    Background.start(() -> {
                        var chunks = new Random(1);
                        for (int at = 0; at < sent.length; ) {
                            int count = Math.min(sent.length - at, 1 + chunks.nextInt(40_000));
                            pair.client.getOutputStream().write(sent, at, count);
                            at += count;
                        }
                        return null;
                    });
            byte[] got = new byte[sent.length];
            var in = new DataInputStream(pair.client.getInputStream());
            in.readFully(got);
            assertThat(got).isEqualTo(sent);
            writer.result();
            SSLSession session = pair.client.getSession();
            assertThat(session.getProtocol()).isEqualTo(protocol);
            assertThat(session.getPeerCertificates()[0])
                    .isEqualTo(Identities.certificate("server"));
            assertThat(session.getPeerHost()).isEqualTo("localhost");
            assertThat(pair.server.getSession().getCipherSuite())
                    .isEqualTo(session.getCipherSuite());
            pair.client.close();
            echo.result();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndSuites")
    void shouldUseTheSuiteThatIsEnabled(TlsProvider client, TlsProvider server, String suite)
            throws Exception {
        boolean tls13 = !suite.contains("_WITH_");
        try (var pair = pair(client, server, tls13 ? "TLSv1.3" : "TLSv1.2")) {
            // BoringSSL always has all of TLS 1.3's: the other side chooses
            if (!tls13 || server != TlsProvider.OURS) {
                pair.server.setEnabledCipherSuites(new String[] {suite});
            } else {
                Assumptions.assumeTrue(client != server, "neither side can choose");
                pair.client.setEnabledCipherSuites(new String[] {suite});
            }
            pair.shakeHands();
            assertThat(pair.client.getSession().getCipherSuite()).isEqualTo(suite);
            pair.server.getOutputStream().write(7);
            assertThat(pair.client.getInputStream().read()).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldGiveTheRestOfARecordLater(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        try (var pair = pair(client, server, protocol).shakeHands()) {
            pair.server.getOutputStream().write("abcdef".getBytes(StandardCharsets.US_ASCII));
            InputStream in = pair.client.getInputStream();
            assertThat(in.read()).isEqualTo('a');
            assertThat(in.available()).isEqualTo(5);
            byte[] two = new byte[2];
            assertThat(in.read(two)).isEqualTo(2);
            assertThat(two).containsExactly('b', 'c');
            assertThat(in.readNBytes(3)).containsExactly('d', 'e', 'f');
            assertThat(in.available()).isZero();
        }
    }

    /**
     * What is said first arrives in one piece with the end of the handshake: from the server in TLS
     * 1.2, from the client in TLS 1.3.
     */
    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldNotLoseDataThatComesWithTheLastFlight(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        boolean tls13 = protocol.equals("TLSv1.3");
        var held = new ByteArrayOutputStream();
        var toCome = new AtomicInteger(tls13 ? 2 : 1); // records of type application_data
        Relay.Change gather =
                (fromClient, record, out) -> {
                    if (fromClient == tls13 && (held.size() > 0 || record[0] == 20)) {
                        held.write(record);
                        if (record[0] == 23 && toCome.decrementAndGet() <= 0) {
                            out.write(held.toByteArray());
                            held.reset();
                        }
                    } else {
                        out.write(record);
                    }
                };
        try (var pair = TlsPair.of(client.context(""), server.context("server"), gather)) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            var serving =
                    Background.start(() -> {
                        pair.server.startHandshake();
                        pair.server.getOutputStream().write(random(500));
                        return pair.server.getInputStream().readNBytes(300);
                    });
            pair.client.startHandshake();
            pair.client.getOutputStream().write(random(300));
            assertThat(pair.client.getInputStream().readNBytes(500)).isEqualTo(random(500));
            assertThat(serving.result()).isEqualTo(random(300));
            assertThat(toCome).hasValueLessThanOrEqualTo(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeManyConnectionsAtOnce(TlsProvider provider) throws Exception {
        SSLContext client = provider.context("");
        try (ServerSocket listener = TlsProvider.listen(provider.context("server"))) {
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            while (true) {
                                Socket accepted = listener.accept();
                                Background.start(() -> echo(accepted));
                            }
                        } catch (IOException e) {
                            // the test has ended
                        }
                    });
            var clients = new ArrayList<Background<Void>>();
            for (int i = 0; i < 100; i++) {
                byte[] message = random(1000 + i);
                clients.add(
                        Background.start(() -> {
                            try (Socket socket =
                                    client.getSocketFactory()
                                            .createSocket("localhost", listener.getLocalPort())) {
                                for (int round = 0; round < 5; round++) {
                                    socket.getOutputStream().write(message);
                                    assertThat(socket.getInputStream().readNBytes(message.length))
                                            .isEqualTo(message);
                                }
                            }
                            return null;
                        }));
            }
            clients.forEach(Background::result);
        }
    }

    private static Void echo(Socket socket) throws IOException {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        }
        return null;
    }

    // ---- what a handshake settles ----

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldResumeASession(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        var counting = new CountingTrust();
        SSLContext clientContext = client.context("TLS", null, new TrustManager[] {counting});
        try (ServerSocket listener = TlsProvider.listen(server.context("server"))) {
            for (int i = 0; i < 3; i++) {
                try (var socket =
                        (SSLSocket)
                                clientContext
                                        .getSocketFactory()
                                        .createSocket("localhost", listener.getLocalPort())) {
                    socket.setEnabledProtocols(new String[] {protocol});
                    var echo = Background.start(() -> echo(listener.accept()));
                    socket.getOutputStream().write(1);
                    assertThat(socket.getInputStream().read()).isEqualTo(1);
                    assertThat(socket.getSession().getPeerCertificates()).hasSize(2);
                    socket.shutdownOutput();
                    echo.result();
                }
            }
        }
        assertThat(counting.checks).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldNegotiateAnApplicationProtocol(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        try (var pair = pair(client, server, protocol)) {
            protocols(pair.client, "http/1.1", "h2");
            protocols(pair.server, "h2", "http/1.1");
            pair.shakeHands();
            assertThat(pair.client.getApplicationProtocol()).isEqualTo("h2");
            assertThat(pair.server.getApplicationProtocol()).isEqualTo("h2");
        }
    }

    private static void protocols(SSLSocket socket, String... protocols) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(protocols);
        socket.setSSLParameters(parameters);
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldLetASelectorChooseTheApplicationProtocol(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server)) {
            protocols(pair.client, "one", "two", "three");
            var asked = new AtomicReference<SSLSocket>();
            pair.server.setHandshakeApplicationProtocolSelector((socket, offered) -> {
                asked.set(socket);
                return offered.get(1);
            });
            pair.shakeHands();
            assertThat(pair.client.getApplicationProtocol()).isEqualTo("two");
            assertThat(asked).hasValue(pair.server);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldTellTheServerTheNameThatIsAskedFor(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server)) {
            SSLParameters parameters = pair.client.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("some.example")));
            pair.client.setSSLParameters(parameters);
            pair.shakeHands();
            var session = (ExtendedSSLSession) pair.server.getSession();
            assertThat(session.getRequestedServerNames())
                    .containsExactly(new SNIHostName("some.example"));
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldRefuseANameThatNoMatcherKnows(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server)) {
            SSLParameters parameters = pair.client.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("some.example")));
            pair.client.setSSLParameters(parameters);
            SSLParameters expected = pair.server.getSSLParameters();
            expected.setSNIMatchers(List.of(SNIHostName.createSNIMatcher("other\\.example")));
            pair.server.setSSLParameters(expected);
            var serving = pair.startServer();
            assertThatThrownBy(pair.client::startHandshake).isInstanceOf(SSLException.class);
            assertThat(serving.failure()).isInstanceOf(SSLException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldTellHandshakeListeners(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        try (var pair = pair(client, server, protocol)) {
            var told = new CountDownLatch(2);
            pair.client.addHandshakeCompletedListener(event -> {
                if (event.getSocket().equals(pair.client)
                        && event.getSession().getProtocol().equals(protocol)) {
                    told.countDown();
                }
            });
            pair.server.addHandshakeCompletedListener(_ -> told.countDown());
            pair.shakeHands();
            assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldAuthenticateTheClient(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        try (var pair = TlsPair.of(client.context("client"), server.context("server"))) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.server.setNeedClientAuth(true);
            pair.shakeHands();
            assertThat(pair.server.getSession().getPeerCertificates()[0])
                    .isEqualTo(Identities.certificate("client"));
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldRefuseAClientWithoutTheCertificateThatIsNeeded(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        try (var pair = pair(client, server, protocol)) {
            pair.server.setNeedClientAuth(true);
            var serving = pair.startServer();
            assertThatThrownBy(
                            () -> {
                                pair.client.startHandshake();
                                pair.client.getInputStream().read();
                            })
                    .isInstanceOf(IOException.class); // an alert, or closed already
            assertThat(serving.failure()).isInstanceOf(SSLHandshakeException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldTakeAClientWithoutTheCertificateThatIsWanted(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server)) {
            pair.server.setWantClientAuth(true);
            pair.shakeHands();
            assertThatThrownBy(() -> pair.server.getSession().getPeerCertificates())
                    .isInstanceOf(SSLPeerUnverifiedException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldPassAListenersSettingsOnToItsConnections(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var listener = TlsProvider.listen(server.context("server"))) {
            listener.setEnabledProtocols(new String[] {"TLSv1.2"});
            listener.setNeedClientAuth(true);
            try (var socket =
                            (SSLSocket)
                                    client.context("client")
                                            .getSocketFactory()
                                            .createSocket("localhost", listener.getLocalPort());
                    var accepted = (SSLSocket) listener.accept()) {
                var serving =
                        Background.start(() -> {
                            accepted.startHandshake();
                            return null;
                        });
                socket.startHandshake();
                serving.result();
                assertThat(accepted.getNeedClientAuth()).isTrue();
                assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
                assertThat(accepted.getSession().getPeerCertificates()).isNotEmpty();
            }
        }
    }

    // ---- refusals ----

    private static void checkRefused(
            TlsPair pair, Class<? extends Throwable> client, Class<? extends Throwable> server) {
        var serving = pair.startServer();
        assertThatThrownBy(pair.client::startHandshake).isInstanceOf(client);
        assertThat(serving.failure()).isInstanceOf(server);
        assertThat(pair.client.isClosed()).isTrue();
        assertThat(pair.client.getSession().getCipherSuite()).isEqualTo("SSL_NULL_WITH_NULL_NULL");
    }

    private static TlsPair showing(
            TlsProvider client, TlsProvider server, String certificate, String protocol)
            throws IOException {
        TlsPair pair = TlsPair.of(client.context(""), server.context(certificate));
        SSLParameters parameters = pair.client.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(new String[] {protocol});
        pair.client.setSSLParameters(parameters);
        return pair;
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldRefuseAServerThatIsNotTheOneAskedFor(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        for (String certificate : List.of("wrong-host", "expired", "self-signed", "unknown-ca")) {
            try (var pair = showing(client, server, certificate, protocol)) {
                var serving =
                        Background.start(() -> {
                            pair.server.startHandshake();
                            pair.server.getInputStream().read();
                            return null;
                        });
                assertThatThrownBy(pair.client::startHandshake)
                        .as(certificate)
                        .isInstanceOf(SSLHandshakeException.class)
                        .hasCauseInstanceOf(CertificateException.class);
                // an alert, or a connection that is closed already when it writes
                assertThat(serving.failure()).isInstanceOf(IOException.class);
                assertThat(pair.client.isClosed()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldCheckTheNameOnlyWhereThatIsAsked(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        try (var right = showing(client, server, "server", protocol)) {
            right.shakeHands();
        }
        try (var unchecked = TlsPair.of(client.context(""), server.context("wrong-host"))) {
            unchecked.client.setEnabledProtocols(new String[] {protocol});
            unchecked.shakeHands();
        }
    }

    /** A trust manager that knows chains alone has the name checked for it. */
    @ParameterizedTest
    @EnumSource
    void shouldCheckTheNameForATrustManagerThatCannot(TlsProvider client) throws Exception {
        for (String certificate : List.of("wrong-host", "server")) {
            SSLContext context =
                    client.context("TLS", null, new TrustManager[] {new CountingTrust()});
            try (var pair = TlsPair.of(context, TlsProvider.JSSE.context(certificate))) {
                SSLParameters parameters = pair.client.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                pair.client.setSSLParameters(parameters);
                var serving = pair.startServer();
                Throwable thrown = catchThrowable(pair.client::startHandshake);
                serving.failure(); // however it ended: JSSE may hang when closed meanwhile
                if (certificate.equals("server")) {
                    assertThat(thrown).isNull();
                } else {
                    assertThat(thrown)
                            .isInstanceOf(SSLHandshakeException.class)
                            .hasCauseInstanceOf(CertificateException.class);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldRefuseAPeerThatSpeaksNoCommonProtocol(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server, "TLSv1.3")) {
            pair.server.setEnabledProtocols(new String[] {"TLSv1.2"});
            checkRefused(pair, SSLHandshakeException.class, SSLHandshakeException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldRefuseAPeerThatHasNoCommonSuite(TlsProvider client, TlsProvider server)
            throws Exception {
        try (var pair = pair(client, server, "TLSv1.2")) {
            pair.client.setEnabledCipherSuites(
                    new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
            pair.server.setEnabledCipherSuites(
                    new String[] {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"});
            checkRefused(pair, SSLHandshakeException.class, SSLHandshakeException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseAPeerThatSpeaksNoTls(TlsProvider provider) throws Exception {
        for (boolean asClient : new boolean[] {true, false}) {
            try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    var plain =
                            new Socket(InetAddress.getLoopbackAddress(), listener.getLocalPort());
                    var accepted = listener.accept()) {
                plain.getOutputStream()
                        .write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                SSLSocketFactory factory = provider.context("server").getSocketFactory();
                var socket =
                        (SSLSocket)
                                (asClient
                                        ? factory.createSocket(accepted, "localhost", 1, true)
                                        : factory.createSocket(accepted, null, true));
                assertThatThrownBy(socket::startHandshake)
                        .isInstanceOf(SSLException.class)
                        .hasMessageContaining("Unsupported or unrecognized SSL message");
                assertThat(socket.isClosed()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailWhenThePeerLeavesDuringTheHandshake(TlsProvider provider) throws Exception {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var socket =
                        (SSLSocket)
                                provider.context("")
                                        .getSocketFactory()
                                        .createSocket("localhost", listener.getLocalPort())) {
            try (Socket accepted = listener.accept()) {
                var handshake =
                        Background.start(() -> {
                            socket.startHandshake();
                            return null;
                        });
                assertThat(accepted.getInputStream().readNBytes(100)).hasSize(100);
                accepted.shutdownOutput();
                assertThat(handshake.failure())
                        .isInstanceOf(SSLHandshakeException.class)
                        .hasMessage("Remote host terminated the handshake");
            }
            assertThatThrownBy(() -> socket.getInputStream().read())
                    .isInstanceOf(IOException.class);
        }
    }

    // ---- records ----

    /** Ways to spoil the first record of data. */
    enum Spoiling {
        BAD_MAC {
            @Override
            void spoil(byte[] record, OutputStream out) throws IOException {
                record[record.length - 1] ^= 1;
                out.write(record);
            }
        },
        REPLAYED {
            @Override
            void spoil(byte[] record, OutputStream out) throws IOException {
                out.write(record);
                out.write(record);
            }
        },
        OVERSIZE {
            @Override
            void spoil(byte[] record, OutputStream out) throws IOException {
                byte[] large = new byte[5 + 20_000];
                System.arraycopy(record, 0, large, 0, 3);
                large[3] = 20_000 >> 8;
                large[4] = (byte) 20_000;
                out.write(large);
            }
        },
        UNKNOWN_TYPE {
            @Override
            void spoil(byte[] record, OutputStream out) throws IOException {
                record[0] = 99;
                out.write(record);
            }
        },
        NOT_PROTECTED {
            @Override
            void spoil(byte[] record, OutputStream out) throws IOException {
                byte[] closeNotify = {21, 3, 3, 0, 2, 1, 0}; // from a stranger
                out.write(closeNotify);
                out.write(closeNotify); // one is shorter than what the kernel takes for a header
            }
        };

        abstract void spoil(byte[] record, OutputStream out) throws IOException;
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldEndAConnectionWhoseRecordsAreSpoiled(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        for (Spoiling spoiling : Spoiling.values()) {
            var armed = new AtomicInteger();
            Relay.Change spoil =
                    (fromClient, record, out) -> {
                        if (fromClient && armed.compareAndSet(1, 2)) {
                            spoiling.spoil(record, out);
                        } else {
                            out.write(record);
                        }
                    };
            try (var pair = TlsPair.of(client.context(""), server.context("server"), spoil)) {
                pair.client.setEnabledProtocols(new String[] {protocol});
                pair.shakeHands();
                pair.server.setSoTimeout(10_000);
                pair.client.setSoTimeout(10_000);
                pair.server.getOutputStream().write(1);
                assertThat(pair.client.getInputStream().read()).isEqualTo(1);
                armed.set(1);
                pair.client.getOutputStream().write(2);
                InputStream in = pair.server.getInputStream();
                if (spoiling == Spoiling.REPLAYED) {
                    assertThat(in.read()).isEqualTo(2);
                }
                assertThat(catchThrowable(in::read))
                        .as("%s", spoiling)
                        .isInstanceOf(SSLException.class);
                assertThat(pair.server.isClosed()).isTrue();
                // the peer hears why
                assertThat(catchThrowable(() -> pair.client.getInputStream().read()))
                        .as("%s heard by the peer", spoiling)
                        .isInstanceOf(SSLException.class);
            }
        }
    }

    /** JSSE takes that for the end. */
    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    void shouldNotTakeTheMiddleOfARecordForTheEnd(TlsProvider provider, String protocol)
            throws Exception {
        var armed = new AtomicBoolean();
        Relay.Change truncate =
                (fromClient, record, out) -> {
                    if (fromClient && armed.get()) {
                        out.write(record, 0, record.length - 1);
                        throw new EOFException("truncated");
                    }
                    out.write(record);
                };
        try (var pair = TlsPair.of(provider.context(""), provider.context("server"), truncate)) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.shakeHands();
            armed.set(true);
            pair.client.getOutputStream().write(2);
            InputStream in = pair.server.getInputStream();
            if (provider == TlsProvider.JSSE) {
                assertThat(in.read()).isEqualTo(-1);
            } else {
                assertThatThrownBy(in::read).isInstanceOf(SSLException.class);
                assertThat(pair.server.isClosed()).isTrue();
            }
        }
    }

    // ---- waiting and ending ----

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    void shouldGoOnAfterATimeout(TlsProvider provider, String protocol) throws Exception {
        try (var pair = pair(provider, provider, protocol).shakeHands()) {
            pair.client.setSoTimeout(30);
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class);
            pair.client.setSoTimeout(10_000);
            pair.server.getOutputStream().write(9);
            assertThat(pair.client.getInputStream().read()).isEqualTo(9);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    void shouldEndAReadByClose(TlsProvider provider, String protocol) throws Exception {
        try (var pair = pair(provider, provider, protocol).shakeHands()) {
            InputStream in = pair.client.getInputStream();
            var reader = Background.start(() -> in.read()).awaitBlocked();
            pair.client.close();
            Throwable failure = reader.failure();
            if (failure == null) { // close_notify crossed it
                assertThat(reader.result()).isEqualTo(-1);
            } else {
                assertThat(failure).isInstanceOf(SocketException.class);
            }
            assertThat(pair.server.getInputStream().read()).isEqualTo(-1);
            // JSSE goes on to say the end where the peer's close_notify came before its own close
            Throwable later = catchThrowable(() -> assertThat(in.read()).isEqualTo(-1));
            if (provider == TlsProvider.OURS || later != null) {
                assertThat(later).isInstanceOf(IOException.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    void shouldEndAVirtualThreadsReadByAnInterrupt(TlsProvider provider, String protocol)
            throws Exception {
        try (var pair = pair(provider, provider, protocol).shakeHands()) {
            InputStream in = pair.client.getInputStream();
            var reader = Background.start(() -> in.read()).awaitBlocked();
            reader.thread.interrupt();
            assertThat(reader.failure())
                    .isInstanceOf(SocketException.class)
                    .hasMessage("Closed by interrupt");
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldShowThePeerTheEnd(TlsProvider client, TlsProvider server, String protocol)
            throws Exception {
        try (var pair = pair(client, server, protocol).shakeHands()) {
            pair.client.getOutputStream().write(4);
            pair.client.shutdownOutput();
            assertThat(pair.client.isOutputShutdown()).isTrue();
            assertThatThrownBy(() -> pair.client.getOutputStream().write(5))
                    .isInstanceOf(SocketException.class);
            InputStream in = pair.server.getInputStream();
            assertThat(in.read()).isEqualTo(4);
            assertThat(in.read()).isEqualTo(-1);
            assertThat(in.read()).isEqualTo(-1);
            pair.server.close();
            assertThat(pair.client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#providersAndProtocols")
    void shouldTakeTheStreamsEndForTheEnd(TlsProvider provider, String protocol) throws Exception {
        Relay.Change pass = (_, record, out) -> out.write(record);
        try (var pair = TlsPair.of(provider.context(""), provider.context("server"), pass)) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.shakeHands();
            pair.server.getOutputStream().write(1);
            assertThat(pair.client.getInputStream().read()).isEqualTo(1);
            pair.relay().cut();
            assertThat(pair.client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairsAndProtocols")
    void shouldLeaveTheLowerSocketUsableWhenItIsNotToBeClosed(
            TlsProvider client, TlsProvider server, String protocol) throws Exception {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var plain = new Socket(InetAddress.getLoopbackAddress(), listener.getLocalPort());
                var accepted = listener.accept()) {
            var clientSide =
                    (SSLSocket)
                            client.context("")
                                    .getSocketFactory()
                                    .createSocket(plain, "localhost", 1, false);
            clientSide.setEnabledProtocols(new String[] {protocol});
            var serverSide =
                    (SSLSocket)
                            server.context("server")
                                    .getSocketFactory()
                                    .createSocket(accepted, null, false);
            var serving =
                    Background.start(() -> {
                        assertThat(serverSide.getInputStream().read()).isEqualTo(5);
                        // JSSE that closes first leaves the other's close_notify in the stream
                        assertThat(serverSide.getInputStream().read()).isEqualTo(-1);
                        serverSide.close();
                        return null;
                    });
            clientSide.getOutputStream().write(5);
            clientSide.close();
            serving.result();
            plain.getOutputStream().write(6);
            assertThat(accepted.getInputStream().read()).isEqualTo(6);
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldServeWhatWasReadBefore(TlsProvider client, TlsProvider server) throws Exception {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var socket =
                        (SSLSocket)
                                client.context("")
                                        .getSocketFactory()
                                        .createSocket("localhost", listener.getLocalPort());
                var accepted = listener.accept()) {
            var asking =
                    Background.start(() -> {
                        socket.getOutputStream().write(8);
                        return socket.getInputStream().read();
                    });
            byte[] before = accepted.getInputStream().readNBytes(20);
            try (var layered =
                    (SSLSocket)
                            server.context("server")
                                    .getSocketFactory()
                                    .createSocket(
                                            accepted, new ByteArrayInputStream(before), true)) {
                assertThat(layered.getUseClientMode()).isFalse();
                assertThat(layered.getInputStream().read()).isEqualTo(8);
                layered.getOutputStream().write(9);
                assertThat(asking.result()).isEqualTo(9);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepSettingsThatAreMadeBeforeItConnects(TlsProvider provider) throws Exception {
        try (ServerSocket listener = TlsProvider.listen(provider.context("server"));
                var socket = (SSLSocket) provider.context("").getSocketFactory().createSocket()) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            protocols(socket, "h2");
            socket.setSoTimeout(5000);
            assertThatThrownBy(socket::getInputStream).isInstanceOf(SocketException.class);
            socket.connect(listener.getLocalSocketAddress(), 5000);
            assertThat(socket.getEnabledProtocols()).containsExactly("TLSv1.2");
            assertThat(socket.getSSLParameters().getApplicationProtocols()).containsExactly("h2");
            var echo = Background.start(() -> echo(listener.accept()));
            socket.getOutputStream().write(1);
            assertThat(socket.getInputStream().read()).isEqualTo(1);
            assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
            assertThatThrownBy(() -> socket.setUseClientMode(false))
                    .isInstanceOf(IllegalArgumentException.class);
            socket.shutdownOutput();
            echo.result();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToLayerOverAnUnconnectedSocket(TlsProvider provider) throws Exception {
        try (var unconnected = new Socket()) {
            assertThatThrownBy(() ->
                            provider.context("")
                                    .getSocketFactory()
                                    .createSocket(unconnected, "localhost", 1, true))
                    .isInstanceOf(SocketException.class)
                    .hasMessage("Underlying socket is not connected");
        }
    }

    // ---- engines ----

    @ParameterizedTest
    @MethodSource("io.loomuring.tls.Cases#pairs")
    void shouldShakeHandsByEngines(TlsProvider client, TlsProvider server) throws Exception {
        SSLEngine asking = client.context("").createSSLEngine("localhost", 1);
        asking.setUseClientMode(true);
        SSLEngine answering = server.context("server").createSSLEngine();
        answering.setUseClientMode(false);
        ByteBuffer toServer = ByteBuffer.allocate(40_000);
        ByteBuffer toClient = ByteBuffer.allocate(40_000);
        for (int i = 0; i < 100; i++) {
            step(asking, toClient, toServer);
            step(answering, toServer, toClient);
        }
        ByteBuffer plain = ByteBuffer.allocate(20_000);
        asking.wrap(ByteBuffer.wrap(new byte[] {1, 2, 3}), toServer);
        toServer.flip();
        answering.unwrap(toServer, plain);
        assertThat(plain.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        HandshakeStatus status = engine.getHandshakeStatus();
        Runnable task;
        while ((task = engine.getDelegatedTask()) != null) {
            task.run();
        }
        if (status == HandshakeStatus.NEED_WRAP
                || engine.getSession().getProtocol().equals("NONE")) {
            engine.wrap(ByteBuffer.allocate(0), out);
        }
        in.flip();
        engine.unwrap(in, ByteBuffer.allocate(20_000));
        in.compact();
    }
}
