package io.loomuring.tls;

import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ssl.X509TrustManager;

/** Trusts any chain, and counts how often it is asked: a resumed session asks nobody. */
final class CountingTrust implements X509TrustManager {
    final AtomicInteger checks = new AtomicInteger();

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {
        checks.incrementAndGet();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {
        checks.incrementAndGet();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
