package io.loomuring.tls;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The application's trust manager, asked as JSSE would ask it: about the socket where a socket of
 * ours shakes hands, about the engine else. A manager that knows neither has the host name checked
 * for it, where the parameters want that.
 */
final class SocketTrustManager extends X509ExtendedTrustManager {
    private final X509TrustManager manager;

    SocketTrustManager(X509TrustManager manager) {
        this.manager = manager;
    }

    /**
     * Conscrypt's word for TLS 1.3, whose suites name no key exchange; JSSE's managers know not.
     */
    private static String jsse(String authType) {
        return authType.equals("GENERIC") ? "UNKNOWN" : authType;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String given, SSLEngine engine)
            throws CertificateException {
        String authType = jsse(given);
        KtlsSocket socket = TlsConnection.shakingHands();
        if (!(manager instanceof X509ExtendedTrustManager extended)) {
            manager.checkServerTrusted(chain, authType);
            checkIdentity(chain, engine.getSSLParameters(), engine.getHandshakeSession());
        } else if (socket == null) {
            extended.checkServerTrusted(chain, authType, engine);
        } else {
            extended.checkServerTrusted(chain, authType, socket);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String given, SSLEngine engine)
            throws CertificateException {
        String authType = jsse(given);
        KtlsSocket socket = TlsConnection.shakingHands();
        if (!(manager instanceof X509ExtendedTrustManager extended)) {
            manager.checkClientTrusted(chain, authType);
            checkIdentity(chain, engine.getSSLParameters(), engine.getHandshakeSession());
        } else if (socket == null) {
            extended.checkClientTrusted(chain, authType, engine);
        } else {
            extended.checkClientTrusted(chain, authType, socket);
        }
    }

    private static void checkIdentity(
            X509Certificate[] chain, SSLParameters parameters, SSLSession session)
            throws CertificateException {
        String algorithm = parameters.getEndpointIdentificationAlgorithm();
        if (algorithm == null || algorithm.isEmpty()) {
            return;
        }
        if (session == null) {
            throw new CertificateException("No handshake session");
        }
        HostNames.check(session.getPeerHost(), chain[0]);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw notOfASocket();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw notOfASocket();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        manager.checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        manager.checkServerTrusted(chain, authType);
    }

    private static CertificateException notOfASocket() {
        return new CertificateException("only engines ask this manager");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return manager.getAcceptedIssuers();
    }
}
