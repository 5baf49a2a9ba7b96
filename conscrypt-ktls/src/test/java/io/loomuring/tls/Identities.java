package io.loomuring.tls;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
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
        if (name.isEmpty()) {
            return new KeyManager[0];
        }
        try {
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store(name), PASSWORD);
            return factory.getKeyManagers();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static TrustManager[] trust(String name) {
        try {
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            anchors.setCertificateEntry("anchor", certificate(name));
            var factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(anchors);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
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
