package io.loomuring.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Handshakes of a process whose trust managers all wait for each other. */
final class WaitingTrustManagers {
    private WaitingTrustManagers() {}

    private static final int HANDSHAKES = 3;

    /** Trusts any chain, once all are asked. */
    private record Waiting(CyclicBarrier all) implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType)
                throws CertificateException {
            throw new CertificateException("nobody has one");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType)
                throws CertificateException {
            try {
                all.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                throw new CertificateException("the others are not asked", e);
            }
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** No arguments. */
    public static void main(String[] arguments) throws Exception {
        SSLContext server = TlsProvider.OURS.context("server");
        TrustManager[] trust = {new Waiting(new CyclicBarrier(HANDSHAKES))};
        SSLContext client = TlsProvider.OURS.context("TLS", null, trust);
        try (var listener = TlsProvider.listen(server)) {
            var servers = Background.start(() -> serve(listener));
            var clients = new ArrayList<Background<Integer>>();
            for (int i = 0; i < HANDSHAKES; i++) {
                clients.add(Background.start(() -> ask(client, listener.getLocalPort())));
            }
            for (Background<Integer> asked : clients) {
                System.out.println("answer=" + asked.result());
            }
            servers.result();
        }
        System.out.println("done");
    }

    private static Void serve(SSLServerSocket listener) throws IOException {
        var connections = new ArrayList<Background<Void>>();
        for (int i = 0; i < HANDSHAKES; i++) {
            var accepted = listener.accept();
            connections.add(
                    Background.start(() -> {
                        try (accepted) {
                            accepted.getOutputStream().write(7);
                            accepted.getInputStream().read();
                        }
                        return null;
                    }));
        }
        connections.forEach(Background::result);
        return null;
    }

    private static int ask(SSLContext context, int port) throws IOException {
        try (var socket =
                context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            return socket.getInputStream().read();
        }
    }
}
