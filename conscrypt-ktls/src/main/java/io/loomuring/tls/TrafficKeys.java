package io.loomuring.tls;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The keys of one direction of a connection, off the heap, where no garbage collector copies them.
 * Zeroed when closed. One thread at a time.
 */
final class TrafficKeys implements AutoCloseable {
    private static final int SECRET_MAX = 48; // bytes
    private static final int KEY_MAX = 32; // bytes
    private static final int KEY_AT = SECRET_MAX;
    private static final int IV_AT = KEY_AT + KEY_MAX;
    private static final int SIZE = 96; // bytes

    private static final Pool<MemorySegment> SLOTS =
            new Pool<>(() -> Arena.ofAuto().allocate(SIZE));

    private final Suite suite;
    private final boolean tls13;
    private MemorySegment slot = SLOTS.take(); // null when closed
    private long sequence;

    private TrafficKeys(Suite suite, boolean tls13) {
        this.suite = suite;
        this.tls13 = tls13;
    }

    /** Of TLS 1.3, from the direction's traffic secret, which it copies. */
    static TrafficKeys ofSecret(Suite suite, byte[] secret) {
        var schedule = new KeySchedule(suite);
        byte[] key = schedule.expandLabel(secret, "key", suite.keyLength);
        byte[] iv = schedule.expandLabel(secret, "iv", Suite.NONCE);
        var keys = new TrafficKeys(suite, true);
        put(keys.secret(), secret);
        put(keys.key(), key);
        put(keys.iv(), iv);
        Arrays.fill(key, (byte) 0);
        Arrays.fill(iv, (byte) 0);
        return keys;
    }

    /** Of TLS 1.2, from a piece of the key block each. */
    static TrafficKeys ofBlock(Suite suite, byte[] block, int keyAt, int ivAt) {
        var keys = new TrafficKeys(suite, false);
        MemorySegment.copy(block, keyAt, keys.key(), ValueLayout.JAVA_BYTE, 0, suite.keyLength);
        MemorySegment.copy(block, ivAt, keys.iv(), ValueLayout.JAVA_BYTE, 0, suite.fixedLength);
        return keys;
    }

    private static void put(MemorySegment target, byte[] bytes) {
        MemorySegment.copy(bytes, 0, target, ValueLayout.JAVA_BYTE, 0, bytes.length);
    }

    Suite suite() {
        return suite;
    }

    boolean isTls13() {
        return tls13;
    }

    /** Of the direction's next record. */
    long sequence() {
        return sequence;
    }

    void sequence(long next) {
        sequence = next;
    }

    /** TLS 1.3: what a KeyUpdate goes on from. */
    MemorySegment secret() {
        return slot.asSlice(0, suite.hashLength);
    }

    MemorySegment key() {
        return slot.asSlice(KEY_AT, suite.keyLength);
    }

    /** TLS 1.3: 12 bytes, to be exclusive-ored with the sequence. TLS 1.2: the fixed part. */
    MemorySegment iv() {
        return slot.asSlice(IV_AT, tls13 ? Suite.NONCE : suite.fixedLength);
    }

    /**
     * Whether these are the keys that protect a record: proved by the AEAD's tag over all of it.
     *
     * @param record header included
     * @param sequence its number
     */
    boolean opens(ByteBuffer record, long sequence) {
        byte[] bytes = new byte[record.remaining()];
        record.get(record.position(), bytes);
        int from = TlsRecord.HEADER;
        byte[] nonce = new byte[Suite.NONCE];
        MemorySegment.copy(iv(), ValueLayout.JAVA_BYTE, 0, nonce, 0, (int) iv().byteSize());
        if (!tls13 && suite.fixedLength < Suite.NONCE) {
            int explicit = Suite.NONCE - suite.fixedLength;
            if (bytes.length < from + explicit + Suite.TAG) {
                return false;
            }
            System.arraycopy(bytes, from, nonce, suite.fixedLength, explicit);
            from += explicit;
        } else {
            for (int i = 0; i < Long.BYTES; i++) {
                nonce[nonce.length - 1 - i] ^= (byte) (sequence >>> (Byte.SIZE * i));
            }
        }
        int sealed = bytes.length - from;
        if (sealed < Suite.TAG) {
            return false;
        }
        byte[] key = key().toArray(ValueLayout.JAVA_BYTE);
        try {
            return ConscryptInternals.opens(
                    suite,
                    key,
                    nonce,
                    bytes,
                    from,
                    tls13
                            ? Arrays.copyOf(bytes, TlsRecord.HEADER)
                            : TlsRecord.additionalData12(bytes, sequence, sealed - Suite.TAG));
        } finally {
            Arrays.fill(key, (byte) 0);
            Arrays.fill(nonce, (byte) 0);
        }
    }

    /** TLS 1.3: the keys after a KeyUpdate, RFC 8446 7.2, for the first record. */
    TrafficKeys next() {
        byte[] present = secret().toArray(ValueLayout.JAVA_BYTE);
        byte[] following =
                new KeySchedule(suite).expandLabel(present, "traffic upd", suite.hashLength);
        try {
            return ofSecret(suite, following);
        } finally {
            Arrays.fill(present, (byte) 0);
            Arrays.fill(following, (byte) 0);
        }
    }

    /** Zeroes all but what {@link #next} needs: somebody else has them. */
    void forgetKeys() {
        if (tls13) {
            slot.asSlice(KEY_AT).fill((byte) 0);
        } else {
            slot.fill((byte) 0);
        }
    }

    /** Zeroes them; they are gone. */
    @Override
    public void close() {
        if (slot != null) {
            slot.fill((byte) 0);
            SLOTS.give(slot);
            slot = null;
        }
    }

    /** Nothing secret. */
    @Override
    public String toString() {
        return suite + (tls13 ? " of TLS 1.3" : " of TLS 1.2");
    }
}
