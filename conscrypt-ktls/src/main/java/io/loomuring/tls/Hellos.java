package io.loomuring.tls;

import java.nio.ByteBuffer;

/** The randoms of a handshake, read off its first messages, RFC 8446 4.1.2 and 4.1.3. */
final class Hellos {
    private Hellos() {}

    private static final int CLIENT_HELLO = 1;
    private static final int SERVER_HELLO = 2;
    private static final int TYPE_AT = TlsRecord.HEADER;
    private static final int LENGTH_AT = TYPE_AT + 1; // 3 bytes
    private static final int VERSION_AT = LENGTH_AT + 3;
    private static final int VERSION = 0x0303; // of TLS 1.3 as well
    private static final int RANDOM_AT = VERSION_AT + 2;
    private static final int RANDOM = SecretLayout.RANDOM;

    /**
     * Notes the random of a record that starts with a hello; the last of each kind is the one.
     *
     * @param randoms the server's, then the client's
     * @return whether it did
     */
    static boolean note(ByteBuffer record, byte[] randoms) {
        int at = record.position();
        if (record.remaining() < RANDOM_AT + RANDOM || record.get(at) != TlsRecord.HANDSHAKE) {
            return false;
        }
        // TLS 1.2's Finished is of this type, too, and begins with what may be random
        if (record.get(at + LENGTH_AT) != 0
                || record.get(at + VERSION_AT) != VERSION >> 8
                || record.get(at + VERSION_AT + 1) != (VERSION & 0xff)) {
            return false;
        }
        switch (record.get(at + TYPE_AT)) {
            case CLIENT_HELLO -> record.get(at + RANDOM_AT, randoms, RANDOM, RANDOM);
            case SERVER_HELLO -> record.get(at + RANDOM_AT, randoms, 0, RANDOM);
            default -> {
                return false;
            }
        }
        return true;
    }
}
