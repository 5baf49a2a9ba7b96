package io.loomuring.abi;

/**
 * {@code linux/tls.h}, and what of {@code netinet/tcp.h} leads to it: constants, and offsets and
 * sizes of structures in bytes. Names and the test are those of {@link IoUringAbi}.
 */
public final class TlsAbi {
    private TlsAbi() {}

    public static final int SOL_TCP = 6;
    public static final int TCP_ULP = 31;

    public static final int SOL_TLS = 282;
    public static final int TLS_TX = 1;
    public static final int TLS_RX = 2;
    public static final int TLS_TX_ZEROCOPY_RO = 3;
    public static final int TLS_RX_EXPECT_NO_PAD = 4;

    // control messages
    public static final int TLS_SET_RECORD_TYPE = 1;
    public static final int TLS_GET_RECORD_TYPE = 2;

    public static final int TLS_1_2_VERSION = 0x0303;
    public static final int TLS_1_3_VERSION = 0x0304;

    // struct tls_crypto_info; a cipher's parts follow: iv, key, salt, then the sequence number
    public static final int SIZEOF_TLS_CRYPTO_INFO = 4;
    public static final int TLS_CRYPTO_INFO_VERSION = 0;
    public static final int TLS_CRYPTO_INFO_CIPHER_TYPE = 2;

    public static final int TLS_CIPHER_AES_GCM_128 = 51;
    public static final int TLS_CIPHER_AES_GCM_128_IV_SIZE = 8;
    public static final int TLS_CIPHER_AES_GCM_128_KEY_SIZE = 16;
    public static final int TLS_CIPHER_AES_GCM_128_SALT_SIZE = 4;
    public static final int SIZEOF_TLS12_CRYPTO_INFO_AES_GCM_128 = 40;

    public static final int TLS_CIPHER_AES_GCM_256 = 52;
    public static final int TLS_CIPHER_AES_GCM_256_IV_SIZE = 8;
    public static final int TLS_CIPHER_AES_GCM_256_KEY_SIZE = 32;
    public static final int TLS_CIPHER_AES_GCM_256_SALT_SIZE = 4;
    public static final int SIZEOF_TLS12_CRYPTO_INFO_AES_GCM_256 = 56;

    public static final int TLS_CIPHER_CHACHA20_POLY1305 = 54;
    public static final int TLS_CIPHER_CHACHA20_POLY1305_IV_SIZE = 12;
    public static final int TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE = 32;
    public static final int TLS_CIPHER_CHACHA20_POLY1305_SALT_SIZE = 0;
    public static final int SIZEOF_TLS12_CRYPTO_INFO_CHACHA20_POLY1305 = 56;
}
