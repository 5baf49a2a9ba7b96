package io.loomuring.tls;

import javax.net.ssl.SSLEngine;

/** What an application has set on an engine that has not shaken hands. */
final class EngineSettings {
    private EngineSettings() {}

    static void copy(SSLEngine from, SSLEngine to) {
        to.setUseClientMode(from.getUseClientMode());
        to.setEnableSessionCreation(from.getEnableSessionCreation());
        to.setSSLParameters(from.getSSLParameters());
        if (from.getHandshakeApplicationProtocolSelector() != null) {
            to.setHandshakeApplicationProtocolSelector(
                    from.getHandshakeApplicationProtocolSelector());
        }
    }
}
