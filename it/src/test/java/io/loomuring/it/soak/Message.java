package io.loomuring.it.soak;

import io.loomuring.it.NumberedStream;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * One message of a stream, either way: a head, bytes that follow from stream and number, and a
 * checksum of both.
 *
 * <pre>
 *   0       4       8        16             20
 *   | length | stream | number | answer length | payload ... | CRC-32C |
 * </pre>
 */
final class Message {
    static final int PAYLOAD_BYTES_MAX = 64 * 1024;

    private static final int HEAD = 20;
    private static final int TAIL = 4;

    private final byte[] bytes = new byte[HEAD + PAYLOAD_BYTES_MAX + TAIL];
    private final ByteBuffer view = ByteBuffer.wrap(bytes);

    /** What is received or was sent last. */
    int stream() {
        return view.getInt(4);
    }

    long number() {
        return view.getLong(8);
    }

    int answerLength() {
        return view.getInt(16);
    }

    private int length() {
        return view.getInt(0);
    }

    int checksum() {
        return view.getInt(HEAD + length());
    }

    void set(int length, int stream, long number, int answerLength) {
        view.putInt(0, length).putInt(4, stream).putLong(8, number).putInt(16, answerLength);
        NumberedStream.fill(payload(), position());
        view.putInt(HEAD + length, computed());
    }

    private MemorySegment payload() {
        return MemorySegment.ofArray(bytes).asSlice(HEAD, length());
    }

    /** Where the payload starts in the stream of all bytes: elsewhere for each message. */
    private long position() {
        return number() * 31 + stream() * 1009L;
    }

    private int computed() {
        var crc = new CRC32C();
        crc.update(bytes, 0, HEAD + length());
        return (int) crc.getValue();
    }

    void send(Line line) throws IOException {
        line.write(bytes, HEAD + length() + TAIL);
    }

    /** Receives one and checks that it is what its head says. */
    void receive(Line line) throws IOException, Violation {
        line.readFully(bytes, HEAD);
        if (length() < 0 || length() > PAYLOAD_BYTES_MAX) {
            throw new Violation("a message of " + length() + " bytes");
        }
        byte[] rest = new byte[length() + TAIL];
        line.readFully(rest, rest.length);
        System.arraycopy(rest, 0, bytes, HEAD, rest.length);
        long mismatch = NumberedStream.mismatch(payload(), position());
        if (mismatch >= 0 || checksum() != computed()) {
            throw new Violation(
                    "stream %d, number %d: byte %d of %d differs"
                            .formatted(stream(), number(), mismatch, length()));
        }
    }
}
