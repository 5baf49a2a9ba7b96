package io.loomuring.tls;

import java.security.Provider;

/**
 * The JCA provider {@code LoomUringTLS}: {@code SSLContext} {@code TLS}, {@code TLSv1.2}, {@code
 * TLSv1.3} and {@code Default}, and nothing else. Key and trust managers, certificates and key
 * stores stay the JDK's, or whose the application likes.
 *
 * <p>{@code Security.insertProviderAt(new KtlsProvider(), 1)} makes it the default of this JVM, and
 * {@code -Dloomuring.tls=default} has loom-uring do that.
 */
public final class KtlsProvider extends Provider {
    private static final long serialVersionUID = 1L;

    /** The provider's name. */
    public static final String NAME = "LoomUringTLS";

    /** Made by {@code java.security} too, which needs a constructor without parameters. */
    public KtlsProvider() {
        super(NAME, "0.1", "TLS by Conscrypt over blocking sockets");
        context("TLS", ContextSpi.Tls.class);
        context("TLSv1.2", ContextSpi.Tls12.class);
        context("TLSv1.3", ContextSpi.Tls13.class);
        context("Default", ContextSpi.Default.class);
    }

    private void context(String protocol, Class<? extends ContextSpi> spi) {
        put("SSLContext." + protocol, spi.getName());
    }
}
