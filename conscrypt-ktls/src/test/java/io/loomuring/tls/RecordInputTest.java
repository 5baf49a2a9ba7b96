package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/** Streams that come in pieces, stop, or are no TLS. */
class RecordInputTest {
    private static final int[] SIZES = {0, 1, 5, 100, 1019, 1020, 4000, 16 << 10, 3, 16_640, 7};

    /** Gives pieces of at most a size, and fails once in so many reads if told to. */
    private static final class Pieces extends InputStream {
        private final byte[] bytes;
        private final int piece;
        private final int timeoutEvery; // 0: never
        private int at;
        private int reads;

        Pieces(byte[] bytes, int piece, int timeoutEvery) {
            this.bytes = bytes;
            this.piece = piece;
            this.timeoutEvery = timeoutEvery;
        }

        @Override
        public int read() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (timeoutEvery > 0 && ++reads % timeoutEvery == 0) {
                throw new SocketTimeoutException();
            }
            if (at == bytes.length) {
                return -1;
            }
            int count = Math.min(Math.min(piece, length), bytes.length - at);
            System.arraycopy(bytes, at, target, offset, count);
            at += count;
            return count;
        }
    }

    private static byte[] record(int type, int size, Random random) {
        byte[] body = new byte[size];
        random.nextBytes(body);
        return ByteBuffer.allocate(TlsRecord.HEADER + size)
                .put((byte) type)
                .putShort((short) 0x0303)
                .putShort((short) size)
                .put(body)
                .array();
    }

    private static byte[][] records() {
        var random = new Random(7);
        return Arrays.stream(SIZES)
                .mapToObj(size -> record(TlsRecord.APPLICATION_DATA, size, random))
                .toArray(byte[][]::new);
    }

    private static byte[] together(byte[]... records) {
        var all = new ByteArrayOutputStream();
        for (byte[] record : records) {
            all.writeBytes(record);
        }
        return all.toByteArray();
    }

    private static byte[] present(RecordInput input) {
        byte[] found = new byte[input.record().remaining()];
        input.record().get(found);
        ByteBuffer copy = ByteBuffer.allocate(found.length);
        input.copyTo(copy);
        assertThat(copy.array()).isEqualTo(found);
        return found;
    }

    @ParameterizedTest
    @CsvSource({
        "1, false, 0",
        "4, true, 0",
        "1000, false, 0",
        "1000, true, 3",
        "100000, true, 0",
        "100000, false, 2",
        "7, true, 5"
    })
    void shouldCutAStreamAsItCame(int piece, boolean ahead, int timeoutEvery) throws IOException {
        byte[][] records = records();
        var input = new RecordInput(new Pieces(together(records), piece, timeoutEvery));
        if (ahead) {
            input.readAhead();
        }
        for (byte[] record : records) {
            assertThat(nextInSpiteOfTimeouts(input)).isTrue();
            assertThat(input.next()).as("the same until it is consumed").isTrue();
            assertThat(present(input)).isEqualTo(record);
            assertThat(input.fault()).isNull();
            input.consume();
        }
        assertThat(nextInSpiteOfTimeouts(input)).isFalse();
        assertThat(input.hasBytes()).isFalse();
    }

    private static boolean nextInSpiteOfTimeouts(RecordInput input) throws IOException {
        while (true) {
            try {
                return input.next();
            } catch (SocketTimeoutException e) {
                // loses nothing
            }
        }
    }

    /** Whoever takes over the stream after the handshake finds all that follows. */
    @Test
    void shouldReadNoByteTooMuchWhileItIsExact() throws IOException {
        byte[][] records = records();
        var stream = new Pieces(together(records), Integer.MAX_VALUE, 0);
        var input = new RecordInput(stream);
        int read = 0;
        for (byte[] record : records) {
            assertThat(input.next()).isTrue();
            input.consume();
            read += record.length;
            assertThat(stream.at).isEqualTo(read);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 6, 104})
    void shouldTellWhenTheStreamEndsInARecord(int left) {
        byte[] record = record(TlsRecord.APPLICATION_DATA, 100, new Random(7));
        var input = new RecordInput(new Pieces(Arrays.copyOf(record, left), 10, 0));
        assertThatThrownBy(input::next).isInstanceOf(EOFException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "474554202f20485454502f312e31, Unsupported or unrecognized SSL message", // GET / HTTP/1.1
        "130303000178, Unsupported or unrecognized SSL message", // type 19
        "180303000178, Unsupported or unrecognized SSL message", // type 24
        "170203000178, Unsupported or unrecognized SSL message", // SSL 2
        "1703037f7f78, Record overflow",
    })
    void shouldGiveTheEngineARecordThatItAnswersByAnAlert(String hex, String fault)
            throws IOException {
        var input = new RecordInput(new Pieces(HexFormat.of().parseHex(hex), 100, 0));
        assertThat(input.next()).isTrue();
        assertThat(input.fault()).startsWith(fault);
        byte[] stand = present(input);
        assertThat(stand[0]).isEqualTo((byte) TlsRecord.APPLICATION_DATA);
        assertThat(TlsRecord.length(stand, 0)).isEqualTo(stand.length);
        assertThat(input.next()).as("for ever").isTrue();
    }

    @Test
    void shouldKeepNothingOfWhatItGivesBack() throws IOException {
        byte[][] records = {
            record(TlsRecord.APPLICATION_DATA, 9000, new Random(1)),
            record(TlsRecord.APPLICATION_DATA, 10, new Random(2))
        };
        var input = new RecordInput(new Pieces(together(records), 9005, 0));
        assertThat(input.next()).isTrue();
        input.consume();
        assertThat(input.next()).isTrue(); // from the small array again
        assertThat(present(input)).isEqualTo(records[1]);
        input.consume();
        input.release();
        assertThat(input.hasBytes()).isFalse();
        assertThat(input.next()).isFalse();
    }
}
