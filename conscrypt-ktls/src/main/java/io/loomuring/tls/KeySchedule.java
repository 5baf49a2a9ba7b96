package io.loomuring.tls;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * From secrets to keys: RFC 8446 7.1 and 7.3, RFC 5246 5 and 6.3. HMAC is made of the digest here,
 * since {@code Mac} keeps copies of its key where they can't be zeroed. What is returned is the
 * caller's to zero.
 */
final class KeySchedule {
    private final MessageDigest digest;
    private final int blockLength;

    KeySchedule(Suite suite) {
        try {
            digest = MessageDigest.getInstance(suite.hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + suite.hash, e);
        }
        blockLength = suite.hashLength == 48 ? 128 : 64;
    }

    private byte[] hmac(byte[] key, byte[]... parts) {
        byte[] pad = new byte[blockLength];
        try {
            pad(pad, key, 0x36);
            digest.update(pad);
            for (byte[] part : parts) {
                digest.update(part);
            }
            byte[] inner = digest.digest();
            pad(pad, key, 0x5c);
            digest.update(pad);
            byte[] result = digest.digest(inner);
            Arrays.fill(inner, (byte) 0);
            return result;
        } finally {
            Arrays.fill(pad, (byte) 0);
        }
    }

    private static void pad(byte[] pad, byte[] key, int with) {
        for (int i = 0; i < pad.length; i++) {
            pad[i] = (byte) ((i < key.length ? key[i] : 0) ^ with);
        }
    }

    /** HKDF-Expand-Label without a context; no more than the hash gives at once. */
    byte[] expandLabel(byte[] secret, String label, int length) {
        byte[] name = ("tls13 " + label).getBytes(StandardCharsets.US_ASCII);
        byte[] info = new byte[2 + 1 + name.length + 1 + 1];
        info[0] = (byte) (length >> 8);
        info[1] = (byte) length;
        info[2] = (byte) name.length;
        System.arraycopy(name, 0, info, 3, name.length);
        info[info.length - 1] = 1; // HKDF-Expand's counter, after an empty context
        byte[] block = hmac(secret, info);
        byte[] result = Arrays.copyOf(block, length);
        Arrays.fill(block, (byte) 0);
        return result;
    }

    /** TLS 1.2's key block. */
    byte[] keyBlock(byte[] master, byte[] serverRandom, byte[] clientRandom, int length) {
        byte[] label = "key expansion".getBytes(StandardCharsets.US_ASCII);
        byte[] result = new byte[length];
        byte[] a = hmac(master, label, serverRandom, clientRandom);
        for (int at = 0; at < length; ) {
            byte[] block = hmac(master, a, label, serverRandom, clientRandom);
            int count = Math.min(block.length, length - at);
            System.arraycopy(block, 0, result, at, count);
            at += count;
            Arrays.fill(block, (byte) 0);
            byte[] next = hmac(master, a);
            Arrays.fill(a, (byte) 0);
            a = next;
        }
        Arrays.fill(a, (byte) 0);
        return result;
    }
}
