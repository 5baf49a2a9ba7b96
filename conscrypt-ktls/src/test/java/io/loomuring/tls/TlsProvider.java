package io.loomuring.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManager;

/** Who provides TLS. What is asserted of ours is asserted of the JDK's, too. */
enum TlsProvider {
    OURS(new KtlsProvider()),
    JSSE(Security.getProvider("SunJSSE"));

    private static final int BACKLOG = 200;

    @SuppressWarnings("ImmutableEnumChecker") // a provider changes when told to, and nobody does
    private final Provider provider;

    TlsProvider(Provider provider) {
        this.provider = provider;
    }

    SSLContext context(String protocol, KeyManager[] keys, TrustManager[] trust) {
        try {
            SSLContext context = SSLContext.getInstance(protocol, provider);
            context.init(keys, trust, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** On a free port of the loopback interface. */
    static SSLServerSocket listen(SSLContext context) throws IOException {
        return (SSLServerSocket)
                context.getServerSocketFactory()
                        .createServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    }

    /** A context that shows a certificate of the tests and trusts their CA. */
    SSLContext context(String identity) {
        return context("TLS", Identities.keys(identity), Identities.trust("ca"));
    }
}
