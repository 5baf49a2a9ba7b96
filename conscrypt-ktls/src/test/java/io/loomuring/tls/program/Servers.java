package io.loomuring.tls.program;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

import java.io.IOException;
import java.util.concurrent.Executors;

/** HTTPS servers as applications have them, which say nothing about who provides TLS. */
public final class Servers {
    private static final String PASSWORD = "changeit";

    private Servers() {}

    /** Which server, its key store, and a folder; it ends when its standard input does. */
    public static void main(String[] arguments) throws Exception {
        int port =
                switch (arguments[0]) {
                    case "Tomcat" -> tomcat(arguments[1], arguments[2]);
                    case "Jetty" -> jetty(arguments[1]);
                    default -> throw new IllegalArgumentException(arguments[0]);
                };
        System.out.println("port=" + port);
        while (System.in.read() >= 0) {
            // nothing is told
        }
        Witness.print();
        System.exit(0);
    }

    private static int tomcat(String keyStore, String folder) throws Exception {
        var tomcat = new Tomcat();
        tomcat.setBaseDir(folder);
        var connector = new Connector();
        connector.setPort(0);
        connector.setProperty("address", "127.0.0.1");
        connector.setProperty("SSLEnabled", "true");
        connector.setProperty("useVirtualThreads", "true");
        connector.setScheme("https");
        connector.setSecure(true);
        var host = new SSLHostConfig();
        var certificate =
                new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.UNDEFINED);
        certificate.setCertificateKeystoreFile(keyStore);
        certificate.setCertificateKeystorePassword(PASSWORD);
        host.addCertificate(certificate);
        connector.addSslHostConfig(host);
        connector.addUpgradeProtocol(new Http2Protocol());
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "hello", new Hello());
        context.addServletMapping("/*", "hello", false);
        tomcat.start();
        return connector.getLocalPort();
    }

    private static final class Hello extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response)
                throws IOException {
            response.getWriter().print("hello by " + request.getProtocol());
        }
    }

    private static int jetty(String keyStore) throws Exception {
        var threads = new QueuedThreadPool();
        threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
        var server = new Server(threads);
        var tls = new SslContextFactory.Server();
        tls.setKeyStorePath(keyStore);
        tls.setKeyStorePassword(PASSWORD);
        var connector = new ServerConnector(server, tls);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(
                new Handler.Abstract() {
                    @Override
                    public boolean handle(Request request, Response response, Callback callback) {
                        Content.Sink.write(
                                response,
                                true,
                                "hello by " + request.getConnectionMetaData().getProtocol(),
                                callback);
                        return true;
                    }
                });
        server.start();
        return connector.getLocalPort();
    }
}
