package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.util.Arrays;

class HellosTest {
    private static final int CONTENT = 40; // bytes, as of a Finished that AES-GCM protects

    private static ByteBuffer record(int... start) {
        ByteBuffer record = ByteBuffer.allocate(TlsRecord.HEADER + CONTENT);
        record.put((byte) TlsRecord.HANDSHAKE).putShort((short) 0x0303).putShort((short) CONTENT);
        for (int i = 0; i < CONTENT; i++) {
            record.put((byte) (i < start.length ? start[i] : 0x77));
        }
        return record.flip();
    }

    private static byte[] filled(int from, int to) {
        byte[] bytes = new byte[2 * SecretLayout.RANDOM];
        Arrays.fill(bytes, from, to, (byte) 0x77);
        return bytes;
    }

    @Test
    void shouldNoteTheRandomsOfBothHellos() {
        byte[] randoms = new byte[2 * SecretLayout.RANDOM];
        assertThat(Hellos.note(record(1, 0, 2, 0, 3, 3), randoms)).isTrue();
        assertThat(randoms).isEqualTo(filled(SecretLayout.RANDOM, 2 * SecretLayout.RANDOM));
        Arrays.fill(randoms, (byte) 0);
        assertThat(Hellos.note(record(2, 0, 2, 0, 3, 3), randoms)).isTrue();
        assertThat(randoms).isEqualTo(filled(0, SecretLayout.RANDOM));
    }

    /** OpenSSL begins its explicit nonces at random. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldTakeNoProtectedFinishedForAHello(int first) {
        byte[] randoms = new byte[2 * SecretLayout.RANDOM];
        assertThat(Hellos.note(record(first, 0xd0, 0xa5, 0x1c, 0x7e), randoms)).isFalse();
        assertThat(Hellos.note(record(first, 0, 0, 0x24, 0x7e, 3), randoms)).isFalse();
        assertThat(Hellos.note(record(first, 0, 0, 0x24, 3, 0x7e), randoms)).isFalse();
        assertThat(Hellos.note(record(first, 0xd0, 0, 0x24, 3, 3), randoms)).isFalse();
        assertThat(randoms).containsOnly(0);
    }

    @Test
    void shouldTakeNoDataAndNoPartForAHello() {
        byte[] randoms = new byte[2 * SecretLayout.RANDOM];
        ByteBuffer data = record(1, 0, 2, 0, 3, 3).put(0, (byte) TlsRecord.APPLICATION_DATA);
        assertThat(Hellos.note(data, randoms)).isFalse();
        ByteBuffer part = record(1, 0, 2, 0, 3, 3);
        assertThat(Hellos.note(part.limit(part.limit() - 3), randoms)).isFalse();
        assertThat(randoms).containsOnly(0);
    }
}
