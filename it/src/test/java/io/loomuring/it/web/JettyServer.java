package io.loomuring.it.web;

import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http2.server.AbstractHTTP2ServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Jetty, with HTTP/1.1 and HTTP/2 on each connector. */
final class JettyServer implements WebServer {
    static {
        // nothing takes what it logs, which SLF4J would say
        System.setProperty("slf4j.internal.verbosity", "ERROR");
    }

    private static final int STREAMS_MAX = 1024; // of a connection

    private final Server server;
    private final ExecutorService virtualThreads; // null: none
    private final SocketAddress address;

    JettyServer(Site site, Wire wire, Duration idleLimit, boolean virtual) throws Exception {
        var threads = new QueuedThreadPool();
        virtualThreads = virtual ? Executors.newVirtualThreadPerTaskExecutor() : null;
        threads.setVirtualThreadsExecutor(virtualThreads);
        server = new Server(threads);
        SocketAddress free = ServerKind.freeAddress(wire);
        AbstractConnector connector = connector(server, wire, free);
        connector.setIdleTimeout(idleLimit.toMillis());
        server.addConnector(connector);
        server.setHandler(new GracefulHandler(new SiteHandler(site)));
        server.start();
        address =
                connector instanceof ServerConnector tcp
                        ? new InetSocketAddress(
                                ((InetSocketAddress) free).getAddress(), tcp.getLocalPort())
                        : free;
    }

    private static AbstractConnector connector(Server server, Wire wire, SocketAddress address) {
        var configuration = new HttpConfiguration();
        var http1 = new HttpConnectionFactory(configuration);
        return switch (wire) {
            case TCP -> {
                var http2 = new HTTP2CServerConnectionFactory(configuration);
                yield tcp(new ServerConnector(server, http1, manyStreams(http2)), address);
            }
            case TLS -> {
                var ssl = new SslContextFactory.Server();
                ssl.setSslContext(Tls.CONTEXT);
                var alpn = new ALPNServerConnectionFactory();
                alpn.setDefaultProtocol(http1.getProtocol());
                yield tcp(
                        new ServerConnector(
                                server,
                                new SslConnectionFactory(ssl, alpn.getProtocol()),
                                alpn,
                                manyStreams(new HTTP2ServerConnectionFactory(configuration)),
                                http1),
                        address);
            }
            case UNIX -> {
                var connector = new UnixDomainServerConnector(server, http1);
                connector.setUnixDomainPath(((UnixDomainSocketAddress) address).getPath());
                connector.setAcceptQueueSize(ServerKind.BACKLOG);
                yield connector;
            }
        };
    }

    private static ServerConnector tcp(ServerConnector connector, SocketAddress address) {
        connector.setHost(((InetSocketAddress) address).getAddress().getHostAddress());
        connector.setAcceptQueueSize(ServerKind.BACKLOG);
        return connector;
    }

    private static <T extends AbstractHTTP2ServerConnectionFactory> T manyStreams(T factory) {
        factory.setMaxConcurrentStreams(STREAMS_MAX);
        return factory;
    }

    @Override
    public SocketAddress address() {
        return address;
    }

    @Override
    public void stop(Duration patience) throws Exception {
        server.setStopTimeout(patience.toMillis());
        server.stop();
        if (virtualThreads != null) {
            virtualThreads.shutdownNow();
        }
    }

    private static final class SiteHandler extends Handler.Abstract {
        private final Site site;

        SiteHandler(Site site) {
            this.site = site;
        }

        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            try {
                site.serve(new JettyExchange(request, response));
                callback.succeeded();
            } catch (Exception e) {
                callback.failed(e);
            }
            return true;
        }
    }

    private record JettyExchange(Request request, Response response) implements Site.Exchange {
        @Override
        public String path() {
            return Request.getPathInContext(request);
        }

        @Override
        public String connection() {
            return request.getConnectionMetaData().getId();
        }

        @Override
        public InputStream upload() {
            return Request.asInputStream(request);
        }

        @Override
        public OutputStream answer(Map<String, String> headers, Body body) {
            headers.forEach(response.getHeaders()::put);
            if (!body.chunked()) {
                response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length());
            }
            return Content.Sink.asOutputStream(response);
        }
    }
}
