package io.loomuring.it.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The JDK's {@code jdk.httpserver}. */
final class JdkServer implements WebServer {
    static {
        // else each answer of two parts waits for a delayed acknowledgement
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final HttpServer server;
    private final ExecutorService executor; // null: the JDK's default

    JdkServer(Site site, Wire wire, boolean virtual) throws IOException {
        var address = (InetSocketAddress) ServerKind.freeAddress(wire);
        if (wire == Wire.TLS) {
            HttpsServer https = HttpsServer.create(address, ServerKind.BACKLOG);
            https.setHttpsConfigurator(new HttpsConfigurator(Tls.CONTEXT));
            server = https;
        } else {
            server = HttpServer.create(address, ServerKind.BACKLOG);
        }
        executor = virtual ? Executors.newVirtualThreadPerTaskExecutor() : null;
        server.setExecutor(executor);
        server.createContext("/", exchange -> serve(site, exchange));
        server.start();
    }

    private static void serve(Site site, HttpExchange exchange) throws IOException {
        try (exchange) {
            site.serve(new JdkExchange(exchange));
        }
    }

    @Override
    public SocketAddress address() {
        return server.getAddress();
    }

    @Override
    public void stop(Duration patience) {
        server.stop((int) patience.toSeconds());
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    private record JdkExchange(HttpExchange exchange) implements Site.Exchange {
        @Override
        public String path() {
            return exchange.getRequestURI().getPath();
        }

        @Override
        public String connection() {
            return exchange.getRemoteAddress().toString();
        }

        @Override
        public InputStream upload() {
            return exchange.getRequestBody();
        }

        @Override
        public OutputStream answer(Map<String, String> headers, Body body) throws IOException {
            headers.forEach(exchange.getResponseHeaders()::set);
            long length = body.length() == 0 ? -1 : body.length();
            exchange.sendResponseHeaders(200, body.chunked() ? 0 : length);
            return exchange.getResponseBody();
        }
    }
}
