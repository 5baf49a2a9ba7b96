package io.loomuring.tls;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Cuts a stream into TLS records. While it is exact no byte is read past the record that is asked
 * for, so that somebody else can take over the stream after it; otherwise as much is read as is
 * there. An idle stream has a small array alone.
 *
 * <p>A header that no TLS has gives a record in its place that the engine answers by an alert
 * (unexpected_message during the handshake, bad_record_mac after it), and a fault. Guarded by its
 * connection's read lock, or its handshake lock before.
 */
final class RecordInput {
    private static final int SMALL = 1024; // bytes that a connection keeps; most requests fit

    /** What BoringSSL takes of any protocol. RFC 5246 would allow more, which nobody needs. */
    private static final int CIPHERTEXT_MAX = EngineBuffers.PLAIN_MAX + 320;

    /** Of a record that the engine takes for one, and can't open. */
    private static final int STAND_BODY = 32;

    private final InputStream in;
    private final byte[] small = new byte[SMALL];
    private byte[] bytes = small;
    private boolean large; // bytes is of the pool
    private int start; // of what is unread
    private int end;
    private int length; // of the record at start, header included; 0: not known
    private boolean exact = true;
    private boolean drained = true; // whether the last read left nothing behind, as far as known
    private byte[] stand; // in place of the record
    private String fault;

    RecordInput(InputStream in) {
        this.in = in;
    }

    /** From now on may read ahead. */
    void readAhead() {
        exact = false;
    }

    /** What was wrong with the present record's header, or null. */
    String fault() {
        return fault;
    }

    /** Whether bytes of a record that isn't complete, or of further ones, are here. */
    boolean hasBytes() {
        return end > start;
    }

    /**
     * Waits for a whole record; the same one until it is consumed. A timeout loses nothing.
     *
     * @return false at the end of the stream
     * @throws EOFException if the stream ends in the middle of a record
     */
    boolean next() throws IOException {
        if (length > 0 || stand != null) {
            return true;
        }
        if (start == end) {
            rewind();
        }
        while (end - start < TlsRecord.HEADER) {
            if (!fill(TlsRecord.HEADER)) {
                if (start == end) {
                    return false;
                }
                throw truncated();
            }
        }
        int type = bytes[start] & 0xff;
        int body = TlsRecord.length(bytes, start) - TlsRecord.HEADER;
        if (type < TlsRecord.CHANGE_CIPHER_SPEC
                || type > TlsRecord.APPLICATION_DATA
                || bytes[start + 1] != TlsRecord.MAJOR) {
            return fault("Unsupported or unrecognized SSL message"); // any length would do
        }
        if (body > CIPHERTEXT_MAX) {
            return fault("Record overflow, record length (" + body + ") > " + CIPHERTEXT_MAX);
        }
        while (end - start < TlsRecord.HEADER + body) {
            if (!fill(TlsRecord.HEADER + body)) {
                throw truncated();
            }
        }
        length = TlsRecord.HEADER + body;
        return true;
    }

    private static EOFException truncated() {
        return new EOFException("SSL peer shut down incorrectly");
    }

    private boolean fault(String message) {
        fault = message;
        stand = new byte[TlsRecord.HEADER + STAND_BODY];
        stand[0] = TlsRecord.APPLICATION_DATA;
        stand[1] = TlsRecord.MAJOR;
        stand[2] = TlsRecord.MAJOR;
        stand[4] = STAND_BODY;
        return true;
    }

    /** Nothing is unread: back to the small array, unless more waits than it holds. */
    private void rewind() {
        start = 0;
        end = 0;
        if (large && drained) {
            release();
        }
    }

    /** Reads once, for a record of so many bytes; false at the stream's end. */
    private boolean fill(int needed) throws IOException {
        if (bytes.length - start < needed) {
            makeRoom(needed);
        }
        int room = exact ? start + needed - end : bytes.length - end;
        int count = in.read(bytes, end, room);
        if (count < 0) {
            return false;
        }
        drained = count < room;
        end += count;
        return true;
    }

    private void makeRoom(int needed) {
        byte[] target = bytes;
        if (target.length < needed) {
            target = EngineBuffers.RECORDS.take();
            large = true;
        }
        int unread = end - start;
        System.arraycopy(bytes, start, target, 0, unread);
        bytes = target;
        start = 0;
        end = unread;
    }

    /** Copies the present record. */
    void copyTo(ByteBuffer target) {
        if (stand != null) {
            target.put(stand);
        } else {
            target.put(bytes, start, length);
        }
    }

    /** The present record, header included: valid until it is consumed. */
    ByteBuffer record() {
        return stand != null
                ? ByteBuffer.wrap(stand).asReadOnlyBuffer()
                : ByteBuffer.wrap(bytes, start, length).asReadOnlyBuffer();
    }

    /** Done with the present record. */
    void consume() {
        start += length;
        length = 0;
    }

    /** Gives the large array back; what is unread is lost, unless it fits in the small one. */
    void release() {
        if (large) {
            byte[] given = bytes;
            bytes = small;
            large = false;
            start = 0;
            end = 0;
            length = 0;
            EngineBuffers.RECORDS.give(given);
        }
    }

    @Override
    public String toString() {
        return "RecordInput" + Arrays.asList(start, end, length);
    }
}
