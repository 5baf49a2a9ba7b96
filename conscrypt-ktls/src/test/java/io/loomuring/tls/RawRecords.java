package io.loomuring.tls;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** A record layer that has keys and nothing else, and shares no code with ours: as a kernel. */
final class RawRecords {
    private static final int TAG = 16;

    private final boolean tls13;
    private final boolean gcm;
    private final byte[] key;
    private final byte[] iv;
    private long sequence;

    RawRecords(TrafficKeys keys) {
        tls13 = keys.isTls13();
        gcm = keys.suite() != Suite.CHACHA20_POLY1305;
        key = keys.key().toArray(ValueLayout.JAVA_BYTE);
        iv = keys.iv().toArray(ValueLayout.JAVA_BYTE);
        sequence = keys.sequence();
    }

    private boolean explicitNonce() {
        return !tls13 && gcm;
    }

    private Cipher cipher(int mode, byte[] explicit, byte[] additional) {
        try {
            byte[] nonce = Arrays.copyOf(iv, 12);
            if (explicit != null) {
                System.arraycopy(explicit, 0, nonce, 4, 8);
            } else {
                byte[] number = ByteBuffer.allocate(12).putInt(0).putLong(sequence).array();
                for (int i = 0; i < 12; i++) {
                    nonce[i] ^= number[i];
                }
            }
            Cipher cipher =
                    Cipher.getInstance(gcm ? "AES/GCM/NoPadding" : "ChaCha20-Poly1305", "SunJCE");
            cipher.init(
                    mode,
                    new SecretKeySpec(key, gcm ? "AES" : "ChaCha20"),
                    gcm ? new GCMParameterSpec(8 * TAG, nonce) : new IvParameterSpec(nonce));
            cipher.updateAAD(additional);
            return cipher;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private byte[] additional(int type, int plain, int cipher) {
        return tls13
                ? new byte[] {23, 3, 3, (byte) (cipher >> 8), (byte) cipher}
                : ByteBuffer.allocate(13)
                        .putLong(sequence)
                        .put((byte) type)
                        .putShort((short) 0x0303)
                        .putShort((short) plain)
                        .array();
    }

    void send(OutputStream out, int type, byte[] data) throws IOException {
        byte[] explicit = explicitNonce() ? ByteBuffer.allocate(8).putLong(sequence).array() : null;
        byte[] inner = tls13 ? Arrays.copyOf(data, data.length + 1) : data;
        if (tls13) {
            inner[data.length] = (byte) type;
        }
        int length = inner.length + TAG + (explicit == null ? 0 : 8);
        ByteBuffer record = ByteBuffer.allocate(5 + length);
        record.put((byte) (tls13 ? 23 : type)).putShort((short) 0x0303).putShort((short) length);
        if (explicit != null) {
            record.put(explicit);
        }
        try {
            record.put(
                    cipher(Cipher.ENCRYPT_MODE, explicit, additional(type, inner.length, length))
                            .doFinal(inner));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
        sequence++;
        out.write(record.array());
    }

    /** A record of data; those of other types are skipped. */
    byte[] receive(DataInputStream in) throws IOException {
        while (true) {
            byte[] header = new byte[5];
            in.readFully(header);
            byte[] body = new byte[((header[3] & 0xff) << 8) | (header[4] & 0xff)];
            in.readFully(body);
            byte[] explicit = explicitNonce() ? Arrays.copyOf(body, 8) : null;
            int from = explicit == null ? 0 : 8;
            byte[] plain;
            try {
                plain =
                        cipher(
                                        Cipher.DECRYPT_MODE,
                                        explicit,
                                        additional(
                                                header[0], body.length - from - TAG, body.length))
                                .doFinal(body, from, body.length - from);
            } catch (GeneralSecurityException e) {
                throw new AssertionError("record " + sequence + " does not open", e);
            }
            sequence++;
            int type = tls13 ? plain[plain.length - 1] : header[0];
            if (type == 23) {
                return tls13 ? Arrays.copyOf(plain, plain.length - 1) : plain;
            }
        }
    }
}
