package io.loomuring.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** OpenSSL's key log, and what follows from its secrets, by the JDK's HMAC and HKDF. */
final class KeyLog {
    /** A line: whose secret, of which connection; in hexadecimal. */
    record Entry(String label, String clientRandom, String secret) {
        byte[] bytes() {
            return HexFormat.of().parseHex(secret);
        }
    }

    private KeyLog() {}

    static List<Entry> read(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .map(parts -> new Entry(parts[0], parts[1], parts[2]))
                    .toList();
        }
    }

    /** The newest with this label. */
    static Entry last(Path log, String label) throws IOException {
        return read(log).stream()
                .filter(entry -> entry.label().equals(label))
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    /**
     * TLS 1.2: RFC 5246's PRF.
     *
     * @param randoms the server's, the client's
     */
    static byte[] keyBlock(Suite suite, byte[] master, byte[] randoms) {
        try {
            Mac mac = Mac.getInstance(suite == Suite.AES_256_GCM ? "HmacSHA384" : "HmacSHA256");
            mac.init(new SecretKeySpec(master, "master"));
            byte[] seed =
                    ByteBuffer.allocate(13 + 64)
                            .put("key expansion".getBytes(StandardCharsets.US_ASCII))
                            .put(randoms)
                            .array();
            ByteBuffer result = ByteBuffer.allocate(256);
            byte[] a = mac.doFinal(seed);
            for (int i = 0; i < 3; i++) {
                mac.update(a);
                result.put(mac.doFinal(seed));
                a = mac.doFinal(a);
            }
            return result.array();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** TLS 1.3: HKDF-Expand-Label of RFC 8446. */
    static byte[] expand(Suite suite, byte[] secret, String label, int length) {
        byte[] name = ("tls13 " + label).getBytes(StandardCharsets.US_ASCII);
        byte[] info =
                ByteBuffer.allocate(2 + 1 + name.length + 1)
                        .putShort((short) length)
                        .put((byte) name.length)
                        .put(name)
                        .array();
        try {
            return KDF.getInstance(suite == Suite.AES_256_GCM ? "HKDF-SHA384" : "HKDF-SHA256")
                    .deriveData(
                            HKDFParameterSpec.expandOnly(
                                    new SecretKeySpec(secret, "secret"), info, length));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
