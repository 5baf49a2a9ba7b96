package io.loomuring.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.cert.Certificate;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** The certificates that make-certificates made. */
final class Identities {
    private Identities() {}

    private static final char[] PASSWORD = "changeit".toCharArray();

    private static KeyStore store(String name) {
        try (InputStream in = Identities.class.getResourceAsStream(name + ".p12")) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(in, PASSWORD);
            return store;
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** The managers that show this certificate; none: "". */
    static KeyManager[] keys(String name) {
        return keys(name, KeyManagerFactory.getDefaultAlgorithm(), null);
    }

    /** Of another provider; null: the JDK's. */
    static KeyManager[] keys(String name, String algorithm, Provider provider) {
        if (name.isEmpty()) {
            return new KeyManager[0];
        }
        try {
            KeyManagerFactory factory =
                    provider == null
                            ? KeyManagerFactory.getInstance(algorithm)
                            : KeyManagerFactory.getInstance(algorithm, provider);
            factory.init(store(name), PASSWORD);
            return factory.getKeyManagers();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static TrustManager[] trust(String name) {
        return trust(name, null);
    }

    /** Of another provider; null: the JDK's. */
    static TrustManager[] trust(String name, Provider provider) {
        KeyStore anchors = anchors(name);
        try {
            String algorithm = TrustManagerFactory.getDefaultAlgorithm();
            TrustManagerFactory factory =
                    provider == null
                            ? TrustManagerFactory.getInstance(algorithm)
                            : TrustManagerFactory.getInstance(algorithm, provider);
            factory.init(anchors);
            return factory.getTrustManagers();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyStore anchors(String name) {
        try {
            KeyStore anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            anchors.setCertificateEntry("anchor", certificate(name));
            return anchors;
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A key store that trusts this certificate. */
    static void writeTrustStore(String name, Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            anchors(name).store(out, PASSWORD);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static Certificate certificate(String name) {
        try {
            return store(name).getCertificate(name);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
