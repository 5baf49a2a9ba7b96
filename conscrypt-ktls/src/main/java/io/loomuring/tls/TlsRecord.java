package io.loomuring.tls;

import java.nio.ByteBuffer;

/** A TLS record's outer form, RFC 8446 5.1 and RFC 5246 6.2. */
final class TlsRecord {
    private TlsRecord() {}

    static final int HEADER = 5; // bytes: type, version, length
    static final int CHANGE_CIPHER_SPEC = 20;
    static final int ALERT = 21;
    static final int HANDSHAKE = 22;
    static final int APPLICATION_DATA = 23;
    static final int MAJOR = 3;

    static int length(byte[] bytes, int at) {
        return HEADER + (((bytes[at + 3] & 0xff) << 8) | (bytes[at + 4] & 0xff));
    }

    /** Takes the next of the whole records in a buffer; null: no more. */
    static ByteBuffer next(ByteBuffer records) {
        if (records.remaining() < HEADER) {
            return null;
        }
        int at = records.position();
        int length = HEADER + (records.getShort(at + 3) & 0xffff);
        if (records.remaining() < length) {
            return null;
        }
        records.position(at + length);
        return records.slice(at, length);
    }

    /** TLS 1.2's additional data of an AEAD. */
    static byte[] additionalData12(byte[] record, long sequence, int plainLength) {
        return ByteBuffer.allocate(Long.BYTES + HEADER)
                .putLong(sequence)
                .put(record, 0, 3)
                .putShort((short) plainLength)
                .array();
    }
}
