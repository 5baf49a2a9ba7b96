package io.loomuring.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;

/**
 * The application's key manager, asked as JSSE would ask it: about the socket where a socket of
 * ours shakes hands, about the engine else. Many override the former alone.
 */
final class SocketKeyManager extends X509ExtendedKeyManager {
    private final X509KeyManager manager;

    SocketKeyManager(X509KeyManager manager) {
        this.manager = manager;
    }

    @Override
    public String chooseEngineClientAlias(
            String[] keyTypes, Principal[] issuers, SSLEngine engine) {
        KtlsSocket socket = TlsConnection.shakingHands();
        return socket == null && manager instanceof X509ExtendedKeyManager extended
                ? extended.chooseEngineClientAlias(keyTypes, issuers, engine)
                : manager.chooseClientAlias(keyTypes, issuers, socket);
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        KtlsSocket socket = TlsConnection.shakingHands();
        return socket == null && manager instanceof X509ExtendedKeyManager extended
                ? extended.chooseEngineServerAlias(keyType, issuers, engine)
                : manager.chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        return manager.chooseClientAlias(keyTypes, issuers, socket);
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        return manager.chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return manager.getClientAliases(keyType, issuers);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        return manager.getServerAliases(keyType, issuers);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return manager.getCertificateChain(alias);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return manager.getPrivateKey(alias);
    }
}
