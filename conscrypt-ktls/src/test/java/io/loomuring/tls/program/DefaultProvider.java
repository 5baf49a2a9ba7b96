package io.loomuring.tls.program;

import java.security.GeneralSecurityException;

import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;

/** Prints who provides TLS where nothing is said about it. */
public final class DefaultProvider {
    private DefaultProvider() {}

    /** No arguments. */
    public static void main(String[] arguments) throws GeneralSecurityException {
        System.out.println("default=" + SSLContext.getDefault().getProvider().getName());
        for (String protocol : new String[] {"TLS", "TLSv1.2", "TLSv1.3"}) {
            System.out.println(
                    protocol + "=" + SSLContext.getInstance(protocol).getProvider().getName());
        }
        System.out.println("factory=" + SSLSocketFactory.getDefault().getClass().getName());
        System.out.println(
                "https=" + HttpsURLConnection.getDefaultSSLSocketFactory().getClass().getName());
    }
}
