package io.loomuring.tls;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** Two connected sockets that have not shaken hands; the client knows the server as localhost. */
final class TlsPair implements AutoCloseable {
    final SSLSocket client;
    final SSLSocket server;
    private final Relay relay;

    private TlsPair(SSLSocket client, SSLSocket server, Relay relay) {
        this.client = client;
        this.server = server;
        this.relay = relay;
    }

    static TlsPair of(SSLContext client, SSLContext server) throws IOException {
        return of(client, server, null);
    }

    /** With something in between; null: nothing. */
    static TlsPair of(SSLContext client, SSLContext server, Relay.Change change)
            throws IOException {
        try (ServerSocket listener = TlsProvider.listen(server)) {
            Relay relay = change == null ? null : Relay.start(listener.getLocalPort(), change);
            int port = relay == null ? listener.getLocalPort() : relay.port();
            Socket connected = client.getSocketFactory().createSocket("localhost", port);
            return new TlsPair((SSLSocket) connected, (SSLSocket) listener.accept(), relay);
        }
    }

    Relay relay() {
        return relay;
    }

    /** Shakes hands on both sides. */
    TlsPair shakeHands() throws IOException {
        Background<Void> other = startServer();
        client.startHandshake();
        other.result();
        return this;
    }

    Background<Void> startServer() {
        return Background.start(() -> {
            server.startHandshake();
            return null;
        });
    }

    Background<Void> startClient() {
        return Background.start(() -> {
            client.startHandshake();
            return null;
        });
    }

    @Override
    public void close() throws IOException {
        if (relay != null) {
            relay.close();
        }
        try (client;
                server) {
            // a failed side may wait for the other's close_notify
        }
    }
}
