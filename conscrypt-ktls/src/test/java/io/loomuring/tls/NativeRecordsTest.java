package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** Two engines in one thread, of which records are exchanged past the engines. */
class NativeRecordsTest {
    private static final byte[] MESSAGE = {1, 2, 3, 4, 5};

    private final SSLEngine client =
            TlsProvider.OURS.context("").createSSLEngine("localhost", 4433);
    private final SSLEngine server = TlsProvider.OURS.context("server").createSSLEngine();
    private final EngineBuffers buffers = EngineBuffers.take();
    private NativeRecords ofClient;
    private NativeRecords ofServer;

    @BeforeEach
    void shakeHands() throws SSLException {
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        client.beginHandshake();
        server.beginHandshake();
        for (int turn = 0; turn < 10; turn++) {
            deliver(client, server);
            deliver(server, client);
        }
        assertThat(client.getHandshakeStatus()).isEqualTo(HandshakeStatus.NOT_HANDSHAKING);
        assertThat(server.getHandshakeStatus()).isEqualTo(HandshakeStatus.NOT_HANDSHAKING);
        ofClient = NativeRecords.of(client);
        ofServer = NativeRecords.of(server);
        assertThat(ofClient).as("this Conscrypt has the known shape").isNotNull();
        assertThat(ofServer).isNotNull();
    }

    /** All that an engine has to say, to the other one. */
    private void deliver(SSLEngine from, SSLEngine to) throws SSLException {
        buffers.cipher.clear();
        int before;
        do {
            before = buffers.cipher.position();
            from.wrap(ByteBuffer.allocate(0), buffers.cipher);
        } while (buffers.cipher.position() > before);
        buffers.cipher.flip();
        buffers.plain.clear();
        while (buffers.cipher.hasRemaining()
                && to.unwrap(buffers.cipher, buffers.plain).bytesConsumed() > 0) {
            // the next record
        }
    }

    @AfterEach
    void close() throws SSLException {
        for (SSLEngine engine : new SSLEngine[] {client, server}) {
            engine.closeOutbound();
            engine.closeInbound();
            deliver(engine, client);
        }
        buffers.give();
    }

    private void seal(NativeRecords records, byte[] content) throws SSLException {
        buffers.plain.clear().put(content).flip();
        buffers.cipher.clear();
        assertThat(records.seal(buffers)).isEqualTo(content.length);
        buffers.cipher.flip();
    }

    private void open(NativeRecords records, byte[] expected) throws SSLException {
        buffers.plain.clear();
        assertThat(records.open(buffers)).isEqualTo(expected.length);
        assertThat(buffers.plain.flip()).isEqualTo(ByteBuffer.wrap(expected));
    }

    @Test
    void shouldSealAndOpenBothWays() throws Exception {
        for (int i = 0; i < 100; i++) {
            byte[] content = {(byte) i, 7};
            seal(ofClient, content);
            open(ofServer, content);
            seal(ofServer, content);
            open(ofClient, content);
        }
    }

    @Test
    void shouldSealAndOpenTheLongestRecord() throws Exception {
        byte[] content = new byte[EngineBuffers.PLAIN_MAX];
        content[content.length - 1] = 9;
        seal(ofServer, content);
        assertThat(buffers.cipher.remaining()).isGreaterThan(content.length);
        open(ofClient, content);
    }

    @Test
    void shouldTakeWhatIsBetweenPositionAndLimit() throws Exception {
        buffers.plain.clear().put((byte) 9).put(MESSAGE).put((byte) 9).flip().position(1);
        buffers.plain.limit(1 + MESSAGE.length);
        buffers.cipher.clear();
        assertThat(ofClient.seal(buffers)).isEqualTo(MESSAGE.length);
        byte[] record = new byte[buffers.cipher.flip().remaining()];
        buffers.cipher.get(record);
        buffers.cipher.clear().put((byte) 9).put(record).flip().position(1);
        open(ofServer, MESSAGE);
    }

    @Test
    void shouldGoTogetherWithTheEnginesOwn() throws Exception {
        seal(ofClient, MESSAGE);
        buffers.plain.clear();
        server.unwrap(buffers.cipher, buffers.plain);
        assertThat(buffers.plain.flip()).isEqualTo(ByteBuffer.wrap(MESSAGE));
        client.wrap(ByteBuffer.wrap(MESSAGE), buffers.cipher.clear());
        buffers.cipher.flip();
        open(ofServer, MESSAGE);
    }

    @Test
    void shouldLeaveTheAlertForASpoiledRecordInTheEngine() throws Exception {
        seal(ofClient, MESSAGE);
        int last = buffers.cipher.limit() - 1;
        buffers.cipher.put(last, (byte) ~buffers.cipher.get(last));
        buffers.plain.clear();
        assertThatThrownBy(() -> ofServer.open(buffers))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("BAD_DECRYPT");
        server.wrap(ByteBuffer.allocate(0), buffers.cipher.clear());
        buffers.cipher.flip();
        buffers.plain.clear();
        assertThatThrownBy(() -> ofClient.open(buffers)).hasMessageContaining("BAD_RECORD_MAC");
    }

    @Test
    void shouldTellACloseNotify() throws Exception {
        client.closeOutbound();
        client.wrap(ByteBuffer.allocate(0), buffers.cipher.clear());
        buffers.cipher.flip();
        buffers.plain.clear();
        assertThat(ofServer.open(buffers)).isEqualTo(NativeRecords.CLOSED);
    }

    @Test
    void shouldDoNothingWithAnEngineThatIsClosed() throws Exception {
        seal(ofServer, MESSAGE);
        byte[] record = new byte[buffers.cipher.remaining()];
        buffers.cipher.get(record);
        client.closeOutbound();
        client.closeInbound();
        client.wrap(ByteBuffer.allocate(0), buffers.cipher.clear()); // frees it
        buffers.cipher.clear().put(record).flip();
        buffers.plain.clear();
        assertThat(ofClient.open(buffers)).isEqualTo(NativeRecords.CLOSED);
        buffers.plain.clear().put(MESSAGE).flip();
        buffers.cipher.clear();
        assertThat(ofClient.seal(buffers)).isZero();
        assertThat(buffers.cipher.position()).isZero();
    }

    @Test
    void shouldBeLeftOutWhereItIsSwitchedOff() {
        NativeRecords.switchOff(true);
        try {
            assertThat(NativeRecords.of(client)).isNull();
        } finally {
            NativeRecords.switchOff(false);
        }
    }
}
