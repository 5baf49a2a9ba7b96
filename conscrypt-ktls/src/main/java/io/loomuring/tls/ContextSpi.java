package io.loomuring.tls;

import org.conscrypt.Conscrypt;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.SecureRandom;
import java.util.Arrays;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** A context of Conscrypt's: engines are its own, sockets ours, which drive such engines. */
abstract sealed class ContextSpi extends SSLContextSpi {
    private static final Provider CONSCRYPT = Conscrypt.newProvider();

    private final SSLContext context;

    private ContextSpi(String protocol) throws NoSuchAlgorithmException {
        context = SSLContext.getInstance(protocol, CONSCRYPT);
    }

    /** TLS 1.2 and 1.3. Public, as JCA makes it. */
    public static final class Tls extends ContextSpi {
        public Tls() throws NoSuchAlgorithmException {
            super("TLS");
        }
    }

    /** TLS 1.2. */
    public static final class Tls12 extends ContextSpi {
        public Tls12() throws NoSuchAlgorithmException {
            super("TLSv1.2");
        }
    }

    /** TLS 1.2 and 1.3. */
    public static final class Tls13 extends ContextSpi {
        public Tls13() throws NoSuchAlgorithmException {
            super("TLSv1.3");
        }
    }

    /** With keys and trust from the properties {@code javax.net.ssl.*}, as the JDK's own. */
    public static final class Default extends ContextSpi {
        public Default() throws GeneralSecurityException, IOException {
            super("TLS");
            engineInit(keysOfProperties(), null, null);
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
                throws KeyManagementException {
            if (isInitialised()) {
                throw new KeyManagementException("Default SSLContext is initialized automatically");
            }
            super.engineInit(keys, trust, random);
        }
    }

    private boolean initialised;

    boolean isInitialised() {
        return initialised;
    }

    private static KeyManager[] keysOfProperties() throws GeneralSecurityException, IOException {
        String file = System.getProperty("javax.net.ssl.keyStore", "");
        if (file.isEmpty() || file.equals("NONE")) {
            return new KeyManager[0];
        }
        String type = System.getProperty("javax.net.ssl.keyStoreType", KeyStore.getDefaultType());
        String provider = System.getProperty("javax.net.ssl.keyStoreProvider", "");
        KeyStore store =
                provider.isEmpty()
                        ? KeyStore.getInstance(type)
                        : KeyStore.getInstance(type, provider);
        String given = System.getProperty("javax.net.ssl.keyStorePassword", "");
        char[] password = given.isEmpty() ? null : given.toCharArray();
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            store.load(in, password);
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, password);
            return factory.getKeyManagers();
        } finally {
            if (password != null) {
                Arrays.fill(password, '\0');
            }
        }
    }

    @Override
    protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
            throws KeyManagementException {
        context.init(ownKeys(keys), ownTrust(trust), random);
        initialised = true;
    }

    /** As the JDK's context does it: the first manager that knows X.509 is the one. */
    private static KeyManager[] ownKeys(KeyManager[] managers) {
        if (managers != null) {
            for (KeyManager manager : managers) {
                if (manager instanceof X509KeyManager x509) {
                    return new KeyManager[] {new SocketKeyManager(x509)};
                }
            }
        }
        return new KeyManager[0];
    }

    private static TrustManager[] ownTrust(TrustManager[] managers) throws KeyManagementException {
        TrustManager[] all = managers == null ? defaultTrust() : managers;
        for (TrustManager manager : all) {
            if (manager instanceof X509TrustManager x509) {
                return new TrustManager[] {new SocketTrustManager(x509)};
            }
        }
        throw new KeyManagementException("none of the trust managers is an X509TrustManager");
    }

    private static TrustManager[] defaultTrust() throws KeyManagementException {
        return new TrustManager[] {Conscrypt.getDefaultX509TrustManager()};
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
        checkInitialised();
        return new KtlsSocketFactory(this);
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
        checkInitialised();
        return new KtlsServerSocketFactory(this);
    }

    private void checkInitialised() {
        if (!initialised) {
            throw new IllegalStateException("SSLContext is not initialized");
        }
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
        return withTickets(context.createSSLEngine());
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
        return withTickets(context.createSSLEngine(host, port));
    }

    /**
     * Has the keys of later connections captured, for tests, which use them instead of the kernel.
     */
    static void captureKeys(boolean on) {
        capturing = on;
    }

    static boolean isCapturing() {
        return capturing;
    }

    private static volatile boolean capturing;

    /** Conscrypt resumes by tickets alone where it is the server, and sends none unasked. */
    private static SSLEngine withTickets(SSLEngine engine) {
        Conscrypt.setUseSessionTickets(engine, true);
        return engine;
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
        return context.getServerSessionContext();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
        return context.getClientSessionContext();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
        return context.getDefaultSSLParameters();
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
        return context.getSupportedSSLParameters();
    }
}
