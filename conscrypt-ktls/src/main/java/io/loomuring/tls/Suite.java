package io.loomuring.tls;

/** The AEADs that the kernel's TLS has, and what TLS derives for them. */
enum Suite {
    AES_128_GCM("SHA-256", 16, 4, "EVP_aead_aes_128_gcm"),
    AES_256_GCM("SHA-384", 32, 4, "EVP_aead_aes_256_gcm"),
    CHACHA20_POLY1305("SHA-256", 32, 12, "EVP_aead_chacha20_poly1305");

    static final int NONCE = 12; // bytes
    static final int TAG = 16; // bytes

    /** Of the handshake's key schedule. */
    final String hash;

    final int hashLength; // bytes
    final int keyLength; // bytes

    /** Bytes of the nonce that TLS 1.2 derives; the record has the rest (GCM, RFC 5288) or none. */
    final int fixedLength;

    /** BoringSSL's name. */
    final String aead;

    Suite(String hash, int keyLength, int fixedLength, String aead) {
        this.hash = hash;
        this.hashLength = hash.equals("SHA-384") ? 48 : 32;
        this.keyLength = keyLength;
        this.fixedLength = fixedLength;
        this.aead = aead;
    }

    /** By JSSE's name of a cipher suite; null: another one. */
    static Suite of(String cipherSuite) {
        if (cipherSuite.endsWith("AES_128_GCM_SHA256")) {
            return AES_128_GCM;
        }
        if (cipherSuite.endsWith("AES_256_GCM_SHA384")) {
            return AES_256_GCM;
        }
        return cipherSuite.endsWith("CHACHA20_POLY1305_SHA256") ? CHACHA20_POLY1305 : null;
    }
}
