package io.loomuring.tls;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * What the engine reads and writes: off the heap, since it copies heap buffers to such ones itself.
 * Taken for one call of the engine; only a record that its reader took a part of keeps them longer.
 */
final class EngineBuffers {
    /** Payload of a record at most, RFC 8446 5.1. */
    static final int PLAIN_MAX = 1 << 14;

    /** A record that is sent at most: what Conscrypt asks for. */
    static final int RECORD_MAX = 5 + PLAIN_MAX + 1024;

    /** More than the engine's own buffer holds, so that all it has fits in. */
    private static final int CIPHER_CAPACITY = 20 << 10;

    /** Two records: fewer system calls for bulk data. Heap arrays, as streams have it. */
    static final Pool<byte[]> RECORDS = new Pool<>(() -> new byte[2 * RECORD_MAX]);

    /** Records of up to so many bytes have an array of their own. */
    private static final int SHORT_MAX = 1024;

    private static final Pool<EngineBuffers> POOL = new Pool<>(EngineBuffers::new);

    final ByteBuffer plain = ByteBuffer.allocateDirect(PLAIN_MAX);
    final ByteBuffer cipher = ByteBuffer.allocateDirect(CIPHER_CAPACITY);
    final long plainAddress = MemorySegment.ofBuffer(plain).address();
    final long cipherAddress = MemorySegment.ofBuffer(cipher).address();

    private EngineBuffers() {}

    static EngineBuffers take() {
        return POOL.take();
    }

    void give() {
        POOL.give(this);
    }

    /**
     * An array for records of so many bytes. Of short ones many are on their way at a time, where
     * each write parks: more than the pool has, and to clear another of its arrays costs more than
     * to seal a short record.
     */
    static byte[] takeFor(int bytes) {
        return bytes <= SHORT_MAX ? new byte[bytes] : RECORDS.take();
    }

    /** Gives an array for records back, if it is one of the pool's. */
    static void give(byte[] records) {
        if (records != null && records.length > SHORT_MAX) {
            RECORDS.give(records);
        }
    }
}
