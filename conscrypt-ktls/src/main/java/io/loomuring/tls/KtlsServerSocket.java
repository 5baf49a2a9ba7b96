package io.loomuring.tls;

import java.io.IOException;
import java.net.Socket;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;

/** A listening socket whose connections shake hands when they are first read or written. */
final class KtlsServerSocket extends SSLServerSocket {
    private final ContextSpi context;
    private final SSLEngine settings; // never shakes hands; guarded by itself
    private boolean set; // whether settings differs from the defaults; guarded by settings

    KtlsServerSocket(ContextSpi context) throws IOException {
        this.context = context;
        settings = context.engineCreateSSLEngine();
        settings.setUseClientMode(false);
    }

    @Override
    public Socket accept() throws IOException {
        Socket accepted = super.accept();
        try {
            return KtlsSocket.accepted(context, accepted, engine());
        } catch (RuntimeException e) {
            accepted.close();
            throw e;
        }
    }

    private SSLEngine engine() {
        SSLEngine engine = context.engineCreateSSLEngine();
        synchronized (settings) {
            if (set) {
                EngineSettings.copy(settings, engine);
            } else {
                engine.setUseClientMode(false);
            }
        }
        return engine;
    }

    private interface Setting {
        void set(SSLEngine engine);
    }

    private void set(Setting setting) {
        synchronized (settings) {
            setting.set(settings);
            set = true;
        }
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return settings.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        set(engine -> engine.setEnabledCipherSuites(suites));
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return settings.getSupportedCipherSuites();
    }

    @Override
    public String[] getSupportedProtocols() {
        return settings.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return settings.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        set(engine -> engine.setEnabledProtocols(protocols));
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        set(engine -> engine.setNeedClientAuth(need));
    }

    @Override
    public boolean getNeedClientAuth() {
        return settings.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        set(engine -> engine.setWantClientAuth(want));
    }

    @Override
    public boolean getWantClientAuth() {
        return settings.getWantClientAuth();
    }

    @Override
    public void setUseClientMode(boolean mode) {
        set(engine -> engine.setUseClientMode(mode));
    }

    @Override
    public boolean getUseClientMode() {
        return settings.getUseClientMode();
    }

    @Override
    public void setEnableSessionCreation(boolean flag) {
        set(engine -> engine.setEnableSessionCreation(flag));
    }

    @Override
    public boolean getEnableSessionCreation() {
        return settings.getEnableSessionCreation();
    }

    @Override
    public SSLParameters getSSLParameters() {
        return settings.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        set(engine -> engine.setSSLParameters(parameters));
    }
}
