package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.net.KernelTls;
import io.loomuring.tls.KeyCapture.Direction;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** What is the kernel's alone; {@code ProviderIT} runs the same on any kernel. */
class KernelTlsIT {
    private static final int TICKET = 4;
    private static final byte[] KEY_UPDATE = {24, 0, 0, 1, 0};

    @TempDir Path folder;

    @BeforeAll
    static void wantAKernelThatCan() {
        assumeTrue(
                KernelTls.isAvailable(),
                "this kernel has no TLS: it/bin/ktls-vm runs these tests on one that has");
    }

    private static TlsPair pair(TlsProvider client, TlsProvider server, String protocol)
            throws IOException {
        return pair(client, server, protocol, null);
    }

    private static TlsPair pair(
            TlsProvider client, TlsProvider server, String protocol, Relay.Change change)
            throws IOException {
        var pair = TlsPair.of(client.context(""), server.context("server"), change);
        pair.client.setEnabledProtocols(new String[] {protocol});
        return pair;
    }

    /** Both of ours, and the kernel does all four ways. */
    private static TlsPair offloaded(String protocol) throws IOException {
        return offloaded(protocol, null);
    }

    private static TlsPair offloaded(String protocol, Relay.Change change) throws IOException {
        var pair = pair(TlsProvider.OURS, TlsProvider.OURS, protocol, change).shakeHands();
        pair.client.setSoTimeout(20_000);
        pair.server.setSoTimeout(20_000);
        exchange(pair);
        exchange(pair);
        assertOffloaded(pair.client);
        assertOffloaded(pair.server);
        return pair;
    }

    private static SSLServerSocket listener() throws IOException {
        return TlsProvider.listen(TlsProvider.OURS.context("server"));
    }

    private static void exchange(TlsPair pair) throws IOException {
        pair.client.getOutputStream().write(1);
        assertThat(pair.server.getInputStream().read()).isEqualTo(1);
        pair.server.getOutputStream().write(2);
        assertThat(pair.client.getInputStream().read()).isEqualTo(2);
    }

    private static void assertOffloaded(SSLSocket socket) {
        assertThat(Ktls.sending(socket)).contains(OffloadOutcome.OFFLOADED);
        assertThat(Ktls.receiving(socket)).contains(OffloadOutcome.OFFLOADED);
    }

    private static Offload offload(SSLSocket socket) {
        return ((KtlsSocket) socket).present().offload();
    }

    private static void send(SSLSocket socket, int type, byte... content) throws IOException {
        assertThat(offload(socket).send(type, ByteBuffer.wrap(content), 1000)).isTrue();
    }

    // ---- data ----

    static Stream<Arguments> oursWithAnybodyAndSuites() {
        return Cases.pairsAndSuites()
                .filter(arguments ->
                        arguments.get()[0] == TlsProvider.OURS
                                || arguments.get()[1] == TlsProvider.OURS)
                // ours on both sides takes what BoringSSL picks in TLS 1.3
                .filter(arguments ->
                        !arguments.get()[0].equals(arguments.get()[1])
                                || !((String) arguments.get()[2]).matches("TLS_(AES_2|CHA).*"));
    }

    @ParameterizedTest
    @MethodSource("oursWithAnybodyAndSuites")
    void shouldMoveDataThroughTheKernel(TlsProvider client, TlsProvider server, String suite)
            throws Exception {
        String protocol = suite.startsWith("TLS_ECDHE") ? "TLSv1.2" : "TLSv1.3";
        try (var pair = pair(client, server, protocol)) {
            if (client == TlsProvider.JSSE || protocol.equals("TLSv1.2")) {
                pair.client.setEnabledCipherSuites(new String[] {suite});
            } else if (server == TlsProvider.JSSE) {
                pair.server.setEnabledCipherSuites(new String[] {suite});
            }
            pair.shakeHands();
            exchange(pair);
            exchange(pair);
            for (SSLSocket socket : List.of(pair.client, pair.server)) {
                if (Ktls.isOurs(socket)) {
                    assertOffloaded(socket);
                }
            }
            for (boolean fromClient : new boolean[] {true, false}) {
                byte[] sent = new byte[1 << 20];
                var random = new Random(fromClient ? 7 : 8);
                random.nextBytes(sent);
                SSLSocket from = fromClient ? pair.client : pair.server;
                SSLSocket to = fromClient ? pair.server : pair.client;
                var writer =
                        Background.start(() -> {
                            OutputStream out = from.getOutputStream();
                            for (int at = 0; at < sent.length; ) {
                                int n = Math.min(sent.length - at, 1 + random.nextInt(40_000));
                                out.write(sent, at, n);
                                at += n;
                            }
                            return null;
                        });
                assertThat(to.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
                writer.result();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shouldSendAFile(String protocol) throws Exception {
        byte[] content = new byte[3_000_001];
        new Random(9).nextBytes(content);
        Path file = Files.write(folder.resolve("file"), content);
        try (var pair = offloaded(protocol);
                FileChannel channel = FileChannel.open(file)) {
            var sender =
                    Background.start(
                            () -> Ktls.transferTo(channel, 1, Long.MAX_VALUE, pair.server));
            assertThat(pair.client.getInputStream().readNBytes(content.length - 1))
                    .isEqualTo(Arrays.copyOfRange(content, 1, content.length));
            assertThat(sender.result()).isEqualTo(content.length - 1);
            exchange(pair);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1.3, false, false, 0, 0",
        "TLSv1.3, true, false, 2, 0",
        "TLSv1.3, false, true, 0, 2",
        "TLSv1.2, true, true, 2, 0" // which has no padding
    })
    void shouldPromiseTheKernelWhatTheUserPromises(
            String protocol, boolean zeroCopy, boolean noPad, int zeroCopies, int noPads)
            throws Exception {
        try (OpenSsl jvm =
                ChildJvm.start(
                        ChildJvm.withLibraries(),
                        KernelPromises.class,
                        List.of(
                                "-XX:-UsePerfData",
                                "-Dloomuring.ktls.zeroCopy=" + zeroCopy,
                                "-Dloomuring.ktls.noPad=" + noPad),
                        protocol)) {
            assertThat(jvm.end()).as(jvm::output).isZero();
            jvm.await("(by OFFLOADED OFFLOADED\n){2}");
            jvm.await("zero copy: " + zeroCopies + "\n");
            jvm.await("no pad: " + noPads + "\n");
        }
    }

    /** The wire, opened by the keys of OpenSSL's log. */
    @Test
    void shouldNeverPutPlainTextOnTheWire() throws Exception {
        Path log = folder.resolve("keys");
        String secret = "a text that nobody between may read";
        long dropped = TlsCounters.TICKETS_DROPPED.sum();
        var wire = new ByteArrayOutputStream();
        try (OpenSsl server =
                OpenSsl.server(
                        log, List.of("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"))) {
            int port = server.port();
            Relay.Change note =
                    (fromClient, record, out) -> {
                        if (fromClient) {
                            wire.writeBytes(record);
                        }
                        out.write(record);
                    };
            try (Relay relay = Relay.start(port, note);
                    var socket =
                            (SSLSocket)
                                    TlsProvider.OURS
                                            .context("")
                                            .getSocketFactory()
                                            .createSocket("localhost", relay.port())) {
                for (String line : List.of("first\n", secret + "\n", secret + "\n")) {
                    socket.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
                    assertThat(socket.getInputStream().readNBytes(line.length()))
                            .hasSize(line.length());
                }
                assertOffloaded(socket);
            }
        }
        assertThat(TlsCounters.TICKETS_DROPPED.sum()).as("both came before").isEqualTo(dropped);
        assertThat(wire.toString(StandardCharsets.ISO_8859_1)).doesNotContain(secret);
        assertThat(dataOf(wire.toByteArray(), KeyLog.last(log, "CLIENT_TRAFFIC_SECRET_0").bytes()))
                .isEqualTo("first\n" + secret + "\n" + secret + "\n");
    }

    /** What is protected by these keys, of a client's stream of records. */
    private static String dataOf(byte[] stream, byte[] trafficSecret) throws IOException {
        ByteBuffer records = ByteBuffer.wrap(stream);
        ByteBuffer record;
        TrafficKeys keys = TrafficKeys.ofSecret(Suite.AES_128_GCM, trafficSecret);
        int from = -1;
        while (from < 0 && (record = TlsRecord.next(records)) != null) {
            if (record.get(0) == TlsRecord.APPLICATION_DATA && keys.opens(record, 0)) {
                from = records.position() - record.remaining();
            }
        }
        assertThat(from).as("a record that opens").isNotNegative();
        var in = new DataInputStream(new ByteArrayInputStream(stream, from, stream.length - from));
        var opener = new RawRecords(keys);
        var text = new StringBuilder();
        for (int i = 0; i < 3; i++) {
            text.append(new String(opener.receive(in), StandardCharsets.US_ASCII));
        }
        keys.close();
        return text.toString();
    }

    // ---- records between data ----

    @Test
    void shouldFollowKeyUpdatesOfEitherSide() throws Exception {
        try (var pair = offloaded("TLSv1.3")) {
            assumeTrue(canUpdateKeys(pair), "this kernel can't change keys: Linux before 6.14");
            long before = TlsCounters.KEY_UPDATES.sum();
            ((KtlsSocket) pair.client).present().kernel().recordsPerKey(1);
            ((KtlsSocket) pair.server).present().kernel().recordsPerKey(2);
            for (int i = 0; i < 20; i++) {
                exchange(pair);
            }
            assertThat(TlsCounters.KEY_UPDATES.sum() - before).isGreaterThan(40);
        }
    }

    private static boolean canUpdateKeys(TlsPair pair) throws IOException {
        send(pair.server, TlsRecord.HANDSHAKE, KEY_UPDATE);
        boolean can = offload(pair.server).updateKeys(Direction.SEND);
        if (can) {
            exchange(pair);
        } else {
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("changes its keys")
                    .hasMessageContaining("loomuring.ktls=off");
        }
        return can;
    }

    @Test
    void shouldAnswerOpenSslsKeyUpdate() throws Exception {
        try (SSLServerSocket listener = listener()) {
            try (OpenSsl client = OpenSsl.client(listener.getLocalPort(), List.of("-tls1_3"));
                    var accepted = (SSLSocket) listener.accept()) {
                InputStream in = accepted.getInputStream();
                long before = TlsCounters.KEY_UPDATES.sum();
                for (int i = 0; i < 3; i++) {
                    client.tell("one\n");
                    assertThat(in.readNBytes(4)).asString().isEqualTo("one\n");
                    accepted.getOutputStream()
                            .write(("answer" + i + "\n").getBytes(StandardCharsets.US_ASCII));
                    client.await("answer" + i);
                    if (i == 1) {
                        assertOffloaded(accepted);
                    }
                    if (i > 0) {
                        client.tell("K\n"); // asks for ours, too
                        client.await("(?s)(KEYUPDATE.*){" + i + "}");
                        Throwable failure = null;
                        if (i == 1) {
                            client.tell("two\n");
                            byte[] two = new byte[4];
                            failure = catchThrowable(() -> in.readNBytes(two, 0, 4));
                        }
                        assumeTrue(
                                failure == null || !failure.getMessage().contains("6.14"),
                                "this kernel can't change keys: Linux before 6.14");
                        if (i == 1) {
                            assertThat(failure).isNull();
                            assertThat(TlsCounters.KEY_UPDATES.sum() - before)
                                    .as("of the client's, and ours in answer")
                                    .isEqualTo(2);
                        }
                    }
                }
            }
        }
    }

    /** Between the handover of sending and that of receiving, which then does not come. */
    @Test
    void shouldSendTheKeyUpdateThatTheEngineIsAskedFor() throws Exception {
        try (SSLServerSocket listener = listener();
                OpenSsl client = OpenSsl.client(listener.getLocalPort(), List.of("-tls1_3"));
                var accepted = (SSLSocket) listener.accept()) {
            InputStream in = accepted.getInputStream();
            OutputStream out = accepted.getOutputStream();
            client.tell("one\n");
            assertThat(in.readNBytes(4)).asString().isEqualTo("one\n");
            out.write("first answer\n".getBytes(StandardCharsets.US_ASCII));
            client.await("first answer");
            assertThat(Ktls.sending(accepted)).contains(OffloadOutcome.OFFLOADED);
            long before = TlsCounters.KEY_UPDATES.sum();
            client.tell("K\n");
            client.await("KEYUPDATE");
            client.tell("two\n");
            byte[] two = new byte[4];
            Throwable failure = catchThrowable(() -> in.readNBytes(two, 0, 4));
            assumeTrue(
                    failure == null || !failure.getMessage().contains("6.14"),
                    "this kernel can't change keys: Linux before 6.14");
            assertThat(failure).isNull();
            assertThat(two).asString().isEqualTo("two\n");
            out.write("second answer\n".getBytes(StandardCharsets.US_ASCII));
            client.await("second answer");
            assertThat(TlsCounters.KEY_UPDATES.sum() - before).isEqualTo(1);
            assertThat(Ktls.receiving(accepted)).contains(OffloadOutcome.NO_KEYS);
        }
    }

    /** Who can't send by the kernel could not answer a KeyUpdate. */
    @Test
    void shouldNotReceiveByTheKernelBeforeItSends() throws Exception {
        try (OpenSsl server =
                OpenSsl.start(
                        "openssl",
                        "s_server",
                        "-accept",
                        "127.0.0.1:0",
                        "-tls1_3",
                        "-num_tickets",
                        "0",
                        "-cert",
                        OpenSsl.file("server.pem"),
                        "-key",
                        OpenSsl.file("server.pem"))) {
            int port = server.port();
            try (var socket =
                    (SSLSocket)
                            TlsProvider.OURS
                                    .context("")
                                    .getSocketFactory()
                                    .createSocket("localhost", port)) {
                socket.startHandshake();
                for (int i = 0; i < 5; i++) {
                    assertThat(Ktls.receiving(socket).isPresent()).isEqualTo(i == 4);
                    if (i == 3) {
                        socket.getOutputStream().write(1);
                    }
                    server.tell("abc\n");
                    assertThat(socket.getInputStream().readNBytes(4)).hasSize(4);
                }
                assertOffloaded(socket);
            }
        }
    }

    @Test
    void shouldDropTicketsThatComeLate() throws Exception {
        try (var pair = offloaded("TLSv1.3")) {
            long before = TlsCounters.TICKETS_DROPPED.sum();
            byte[] message = new byte[4 + 100];
            message[0] = TICKET;
            message[3] = 100;
            send(pair.server, TlsRecord.HANDSHAKE, message);
            send(pair.server, TlsRecord.HANDSHAKE, Arrays.copyOf(message, 50)); // in two records
            send(pair.server, TlsRecord.HANDSHAKE, new byte[54]);
            exchange(pair);
            assertThat(TlsCounters.TICKETS_DROPPED.sum() - before).isEqualTo(2);
        }
    }

    /** A record and what its receiver makes of it. */
    record Unwanted(String protocol, int type, String content, String message) {}

    static Stream<Unwanted> unwanted() {
        return Stream.of(
                new Unwanted("TLSv1.3", 22, "18000001 02", "KeyUpdate 2"),
                new Unwanted(
                        "TLSv1.3", 22, "18000002 0000", "Unexpected handshake message of type 24"),
                new Unwanted(
                        "TLSv1.3", 22, "01000001 00", "Unexpected handshake message of type 1"),
                new Unwanted("TLSv1.3", 22, "0400", "cut off"),
                new Unwanted("TLSv1.3", 21, "0150", "Received fatal alert: internal_error"),
                new Unwanted("TLSv1.3", 21, "02", "An alert of 1 bytes"),
                new Unwanted("TLSv1.2", 21, "0228", "Received fatal alert: handshake_failure"),
                new Unwanted("TLSv1.2", 20, "01", "Unexpected record of type 20"));
    }

    @ParameterizedTest
    @MethodSource("unwanted")
    void shouldEndAConnectionByAnUnwantedRecord(Unwanted unwanted) throws Exception {
        try (var pair = offloaded(unwanted.protocol)) {
            send(
                    pair.server,
                    unwanted.type,
                    HexFormat.of().parseHex(unwanted.content.replace(" ", "")));
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining(unwanted.message);
            assertThat(pair.client.isClosed()).isTrue();
            Throwable heard = catchThrowable(() -> pair.server.getInputStream().read());
            if (unwanted.type != TlsRecord.ALERT || unwanted.content.length() == 2) {
                assertThat(heard)
                        .isInstanceOf(SSLException.class)
                        .hasMessageContaining("Received fatal alert");
            }
        }
    }

    @Test
    void shouldIgnoreWarningsBetweenDataButNotForEver() throws Exception {
        try (var pair = offloaded("TLSv1.2")) {
            for (int i = 0; i < 32; i++) {
                send(pair.server, TlsRecord.ALERT, (byte) 1, (byte) Alert.USER_CANCELED);
            }
            exchange(pair);
            for (int i = 0; i < 33; i++) {
                send(pair.server, TlsRecord.ALERT, (byte) 1, (byte) Alert.USER_CANCELED);
            }
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .hasMessageContaining("Too many records without data");
        }
    }

    @Test
    void shouldRefuseRenegotiation() throws Exception {
        try (var pair = offloaded("TLSv1.2")) {
            send(pair.server, TlsRecord.HANDSHAKE, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
            exchange(pair); // the answer is a warning, which ours ignores
        }
    }

    // ---- interrupts, timeouts, ends ----

    /** Holds a part of each record of the server's back while it is told to. */
    private static Relay.Change holding(AtomicBoolean hold, ByteArrayOutputStream rest) {
        return (fromClient, record, out) -> {
            if (!fromClient && hold.get()) {
                out.write(record, 0, record.length - 3);
                rest.write(record, record.length - 3, 3);
            } else {
                out.write(record);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shouldGoOnAfterATimeoutInTheMiddleOfARecord(String protocol) throws Exception {
        var hold = new AtomicBoolean();
        var rest = new ByteArrayOutputStream();
        Relay.Change change =
                (fromClient, record, out) -> {
                    if (!fromClient && !hold.get() && rest.size() > 0) {
                        rest.writeTo(out);
                        rest.reset();
                    }
                    holding(hold, rest).pass(fromClient, record, out);
                };
        try (var pair = offloaded(protocol, change)) {
            hold.set(true);
            pair.server.getOutputStream().write(7);
            pair.client.setSoTimeout(100);
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class);
            hold.set(false);
            pair.server.getOutputStream().write(8); // brings the rest of the one before
            pair.client.setSoTimeout(20_000);
            assertThat(pair.client.getInputStream().read()).isEqualTo(7);
            assertThat(pair.client.getInputStream().read()).isEqualTo(8);
        }
    }

    @Test
    void shouldBeClosedByAnInterruptInTheMiddleOfARecord() throws Exception {
        var hold = new AtomicBoolean();
        try (var pair = offloaded("TLSv1.3", holding(hold, new ByteArrayOutputStream()))) {
            hold.set(true);
            pair.server.getOutputStream().write(7);
            var reader = Background.start(() -> pair.client.getInputStream().read()).awaitBlocked();
            reader.thread.interrupt();
            assertThat(reader.failure())
                    .isInstanceOf(SocketException.class)
                    .hasMessage("Closed by interrupt");
            assertThat(pair.client.isClosed()).isTrue();
        }
    }

    @Test
    void shouldTellAStreamThatIsCutOffInARecordFromOneThatEnds() throws Exception {
        var hold = new AtomicBoolean();
        try (var pair = offloaded("TLSv1.3", holding(hold, new ByteArrayOutputStream()))) {
            hold.set(true);
            pair.server.getOutputStream().write(7);
            pair.client.setSoTimeout(100);
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class);
            pair.client.setSoTimeout(20_000);
            pair.relay().cut();
            assertThatThrownBy(() -> pair.client.getInputStream().read())
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void shouldLeaveNothingBehindAfterManyConnections() throws Exception {
        int connections = Integer.getInteger("ktls.connections", 300);
        long current = current();
        Map<String, Integer> descriptors = null;
        try (SSLServerSocket listener = listener()) {
            var factory = TlsProvider.OURS.context("").getSocketFactory();
            for (int i = 0; i < connections; i++) {
                try (var client =
                                (SSLSocket)
                                        factory.createSocket("localhost", listener.getLocalPort());
                        var server = (SSLSocket) listener.accept()) {
                    var echo =
                            Background.start(() -> {
                                for (int k = 0; k < 2; k++) {
                                    server.getOutputStream().write(server.getInputStream().read());
                                }
                                return null;
                            });
                    for (int k = 0; k < 2; k++) {
                        client.getOutputStream().write(k);
                        assertThat(client.getInputStream().read()).isEqualTo(k);
                    }
                    echo.result();
                    assertOffloaded(client);
                    assertOffloaded(server);
                }
                if (i == 20) {
                    descriptors = descriptors();
                }
            }
        }
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (current() > current && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        assertThat(current()).isLessThanOrEqualTo(current);
        Map<String, Integer> before = descriptors;
        assertThat(descriptors())
                .allSatisfy((kind, count) ->
                        assertThat(count)
                                .as(kind)
                                .isLessThanOrEqualTo(before.getOrDefault(kind, 0)));
    }

    /** Connections whose TLS the kernel does now, of this network namespace. */
    private static long current() throws IOException {
        long sum = 0;
        for (String line : Files.readAllLines(Path.of("/proc/net/tls_stat"))) {
            if (line.startsWith("TlsCurr")) {
                sum += Long.parseLong(line.substring(line.lastIndexOf('\t') + 1));
            }
        }
        return sum;
    }

    /** How many of each kind this process has, but for files, which a class loader opens late. */
    private static Map<String, Integer> descriptors() throws IOException {
        var kinds = new TreeMap<String, Integer>();
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            for (Path link : links.toList()) {
                try {
                    String kind = Files.readSymbolicLink(link).toString().replaceAll("\\d+", "");
                    if (!kind.startsWith("/")) {
                        kinds.merge(kind, 1, Integer::sum);
                    }
                } catch (NoSuchFileException e) {
                    // closed just now
                }
            }
        }
        return kinds;
    }
}
