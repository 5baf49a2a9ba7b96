package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.DataInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/** The keys of connections with OpenSSL: proved, in its key log, and of use on their own. */
@Timeout(60) // seconds a test; interrupts it
class KeyCaptureIT {
    @TempDir Path folder;
    private final SecretLayout layout = SecretLayout.present();

    @BeforeEach
    void capture() {
        ContextSpi.captureKeys(true);
    }

    @AfterEach
    void restore() {
        ContextSpi.captureKeys(false);
        SecretLayout.replace(layout);
    }

    record Kind(Suite suite, boolean tls13) {
        String openSslName() {
            String name = suite.name().replace('_', '-');
            return switch (suite) {
                case AES_128_GCM ->
                        tls13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256";
                case AES_256_GCM ->
                        tls13 ? "TLS_AES_256_GCM_SHA384" : "ECDHE-ECDSA-AES256-GCM-SHA384";
                case CHACHA20_POLY1305 ->
                        tls13 ? "TLS_CHACHA20_POLY1305_SHA256" : "ECDHE-ECDSA-" + name;
            };
        }

        List<String> options() {
            return List.of(
                    tls13 ? "-tls1_3" : "-tls1_2",
                    tls13 ? "-ciphersuites" : "-cipher",
                    openSslName());
        }
    }

    static Stream<Arguments> kinds() {
        return Arrays.stream(Suite.values())
                .flatMap(suite ->
                        Stream.of(false, true).map(tls13 -> Arguments.of(new Kind(suite, tls13))));
    }

    @Test
    void shouldFindWhereTheSecretsAre() {
        System.out.println("layout of the secrets: " + layout);
        assertThat(ConscryptInternals.missing()).isNull();
        assertThat(layout).isNotNull().isEqualTo(SecretLayout.calibrate());
        assertThat(Ktls.keyCaptureObstacle()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @Interop(
            peer = Peer.OPENSSL,
            what = "`s_server`, 3 suites, 2 protocols, fresh and resumed: keys")
    void shouldProveTheKeysOfAClient(Kind kind) throws Exception {
        Path log = folder.resolve("keys");
        var trust = new CountingTrust();
        SSLContext context = TlsProvider.OURS.context("TLS", null, new TrustManager[] {trust});
        try (OpenSsl server = OpenSsl.server(log, kind.options())) {
            int port = server.port();
            for (int round = 0; round < 2; round++) { // the second one resumes
                try (var plain = new Socket(InetAddress.getLoopbackAddress(), port);
                        var socket =
                                (SSLSocket)
                                        context.getSocketFactory()
                                                .createSocket(plain, "localhost", port, true)) {
                    socket.getOutputStream().write(ascii("abc\n"));
                    assertThat(socket.getInputStream().readNBytes(4)).isEqualTo(ascii("cba\n"));
                    KeyCapture capture = ((KtlsSocket) socket).capture();
                    checkLogged(kind, capture, log, true);
                    var out = new RawRecords(capture.keys(KeyCapture.Direction.SEND));
                    var in = new RawRecords(capture.keys(KeyCapture.Direction.RECEIVE));
                    for (String text : List.of("one\n", "three\n")) {
                        out.send(plain.getOutputStream(), 23, ascii(text));
                        String reversed =
                                new StringBuilder(text.trim()).reverse().append('\n').toString();
                        assertThat(in.receive(new DataInputStream(plain.getInputStream())))
                                .isEqualTo(ascii(reversed));
                    }
                    out.send(plain.getOutputStream(), 21, new byte[] {1, 0});
                }
            }
        }
        assertThat(trust.checks).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    @Interop(
            peer = Peer.OPENSSL,
            what = "`s_client`, 3 suites, 2 protocols, fresh and resumed: keys")
    void shouldProveTheKeysOfAServer(Kind kind) throws Exception {
        Path log = folder.resolve("keys");
        Path session = folder.resolve("session");
        SSLContext context = TlsProvider.OURS.context("server");
        try (var listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            for (boolean resumed : new boolean[] {false, true}) {
                try (OpenSsl client =
                                OpenSsl.client(
                                        listener.getLocalPort(),
                                        kind.options(),
                                        "-keylogfile",
                                        log.toString(),
                                        resumed ? "-sess_in" : "-sess_out",
                                        session.toString());
                        Socket plain = listener.accept();
                        var socket =
                                (SSLSocket)
                                        context.getSocketFactory()
                                                .createSocket(plain, null, true)) {
                    client.tell("abc\n");
                    assertThat(socket.getInputStream().readNBytes(4)).isEqualTo(ascii("abc\n"));
                    socket.getOutputStream().write(ascii("from the engine\n"));
                    client.await("from the engine\n");
                    client.await((resumed ? "Reused" : "New") + ", TLSv1\\.");
                    KeyCapture capture = ((KtlsSocket) socket).capture();
                    checkLogged(kind, capture, log, false);
                    var out = new RawRecords(capture.keys(KeyCapture.Direction.SEND));
                    var in = new RawRecords(capture.keys(KeyCapture.Direction.RECEIVE));
                    out.send(plain.getOutputStream(), 23, ascii("from the keys\n"));
                    client.await("from the keys\n");
                    client.tell("def\n");
                    assertThat(in.receive(new DataInputStream(plain.getInputStream())))
                            .isEqualTo(ascii("def\n"));
                    out.send(plain.getOutputStream(), 21, new byte[] {1, 0});
                    client.end();
                }
            }
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    // ---- OpenSSL's key log ----

    private static void checkLogged(Kind kind, KeyCapture capture, Path log, boolean client)
            throws IOException {
        assertThat(capture.outcome(KeyCapture.Direction.SEND)).isEqualTo(KeyOutcome.PROVED);
        assertThat(capture.outcome(KeyCapture.Direction.RECEIVE)).isEqualTo(KeyOutcome.PROVED);
        TrafficKeys sent = capture.keys(KeyCapture.Direction.SEND);
        TrafficKeys received = capture.keys(KeyCapture.Direction.RECEIVE);
        TrafficKeys ofClient = client ? sent : received;
        TrafficKeys ofServer = client ? received : sent;
        assertThat(sent.suite()).isEqualTo(kind.suite);
        if (kind.tls13) {
            assertThat(KeyLog.last(log, "CLIENT_TRAFFIC_SECRET_0").bytes())
                    .isEqualTo(bytes(ofClient.secret()));
            assertThat(KeyLog.last(log, "SERVER_TRAFFIC_SECRET_0").bytes())
                    .isEqualTo(bytes(ofServer.secret()));
            return;
        }
        KeyLog.Entry entry = KeyLog.last(log, "CLIENT_RANDOM");
        byte[] randoms = capture.randoms();
        assertThat(HexFormat.of().formatHex(randoms, 32, 64)).isEqualTo(entry.clientRandom());
        byte[] block = KeyLog.keyBlock(kind.suite, entry.bytes(), randoms);
        ByteBuffer expected = ByteBuffer.wrap(block);
        for (MemorySegment part :
                List.of(ofClient.key(), ofServer.key(), ofClient.iv(), ofServer.iv())) {
            byte[] bytes = new byte[(int) part.byteSize()];
            expected.get(bytes);
            assertThat(bytes(part)).isEqualTo(bytes);
        }
    }

    private static byte[] bytes(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    // ---- what is not proved ----

    private static void checkOutcome(KeyOutcome expected) throws Exception {
        checkOutcome("TLSv1.3", expected);
    }

    private static void checkOutcome(String protocol, KeyOutcome expected) throws Exception {
        long before = TlsCounters.sum(expected);
        try (var pair =
                TlsPair.of(TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"))) {
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.shakeHands();
            for (int i = 0; i < 3; i++) {
                pair.client.getOutputStream().write(i);
                assertThat(pair.server.getInputStream().read()).isEqualTo(i);
                pair.server.getOutputStream().write(i);
                assertThat(pair.client.getInputStream().read()).isEqualTo(i);
            }
            KeyCapture capture = ((KtlsSocket) pair.client).capture();
            for (KeyCapture.Direction direction : KeyCapture.Direction.values()) {
                assertThat(capture.outcome(direction)).isEqualTo(expected);
                assertThat(capture.keys(direction) != null)
                        .isEqualTo(expected == KeyOutcome.PROVED);
            }
        }
        assertThat(TlsCounters.sum(expected)).isEqualTo(before + 4); // both sides, both ways
        assertThat(TlsCounters.toMap()).containsEntry("keys." + expected.label(), before + 4);
    }

    @Test
    void shouldHaveBothSidesKeysWhereTheLayoutIsRight() throws Exception {
        checkOutcome(KeyOutcome.PROVED);
    }

    @Test
    void shouldStayWithTheEngineWhereTheLayoutIsWrong() throws Exception {
        SecretLayout.replace(
                new SecretLayout(
                        layout.state(), layout.write() + 1, layout.read() - 1, layout.master()));
        checkOutcome(KeyOutcome.UNPROVED);
        // each other's secrets are secrets of this connection, but not of this direction
        int write = layout.read();
        int read = layout.write();
        SecretLayout.replace(new SecretLayout(layout.state(), write, read, layout.master()));
        checkOutcome(KeyOutcome.UNPROVED);
    }

    @Test
    void shouldStayWithTheEngineWhereTheMasterSecretIsElsewhere() throws Exception {
        assertThat(layout.master()).isPositive();
        SecretLayout.replace(
                new SecretLayout(
                        layout.state(), layout.write(), layout.read(), layout.master() + 1));
        checkOutcome("TLSv1.2", KeyOutcome.UNPROVED);
    }

    @Test
    void shouldHaveTheMasterSecretWhereItsPlaceWasNotFound() throws Exception {
        SecretLayout.replace(new SecretLayout(layout.state(), layout.write(), layout.read(), -1));
        checkOutcome("TLSv1.2", KeyOutcome.PROVED);
        SecretLayout.replace(null);
        checkOutcome("TLSv1.2", KeyOutcome.PROVED);
    }

    @Test
    void shouldStayWithTheEngineWhereTheStateIsElsewhere() throws Exception {
        SecretLayout.replace(
                new SecretLayout(
                        layout.state() + 8, layout.write(), layout.read(), layout.master()));
        checkOutcome(KeyOutcome.OTHER_LAYOUT);
    }

    @Test
    void shouldStayWithTheEngineWhereNoLayoutWasFound() throws Exception {
        SecretLayout.replace(null);
        checkOutcome(KeyOutcome.NO_LAYOUT);
        assertThat(Ktls.keyCaptureObstacle()).get().asString().contains("TLS 1.2 alone: no place");
    }

    /** A KeyUpdate may lie between. */
    @Test
    void shouldCallKeysFreshOnlyIfTheyOpenedTheLastRecord() throws Exception {
        try (var pair =
                TlsPair.of(TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"))) {
            pair.shakeHands();
            KeyCapture capture = ((KtlsSocket) pair.client).capture();
            pair.client.getOutputStream().write(1);
            assertThat(capture.isFresh(KeyCapture.Direction.SEND)).isTrue();
            pair.client.getOutputStream().write(2); // which nobody opened
            assertThat(capture.isFresh(KeyCapture.Direction.SEND)).isFalse();
            capture.proveEach(KeyCapture.Direction.SEND);
            pair.client.getOutputStream().write(3);
            assertThat(capture.isFresh(KeyCapture.Direction.SEND)).isTrue();
        }
    }

    @Test
    void shouldZeroKeysWhenTheConnectionCloses() throws Exception {
        MemorySegment key;
        MemorySegment secret;
        try (var pair =
                TlsPair.of(TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"))) {
            pair.shakeHands();
            pair.client.getOutputStream().write(1);
            TrafficKeys keys = ((KtlsSocket) pair.client).capture().keys(KeyCapture.Direction.SEND);
            key = keys.key();
            secret = keys.secret();
            assertThat(bytes(key)).isNotEqualTo(new byte[(int) key.byteSize()]);
            assertThat(keys.toString()).doesNotContain(HexFormat.of().formatHex(bytes(key)));
        }
        assertThat(bytes(key)).containsOnly(0);
        assertThat(bytes(secret)).containsOnly(0);
    }
}
