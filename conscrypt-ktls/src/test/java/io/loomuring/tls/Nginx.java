package io.loomuring.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** nginx with TLS on a port of loopback: says hello, and whether the session is resumed ("r"). */
final class Nginx implements AutoCloseable {
    private final OpenSsl server;
    final int port;

    private Nginx(OpenSsl server, int port) {
        this.server = server;
        this.port = port;
    }

    /**
     * Starts it, or skips the test.
     *
     * @param protocols as {@code ssl_protocols} has them
     */
    static Nginx start(Path folder, String certificate, String protocols)
            throws IOException, InterruptedException {
        int port = OpenSsl.freePort();
        Path own = Files.createTempDirectory(folder, "nginx");
        Path config = own.resolve("nginx.conf");
        Files.writeString(
                config,
                """
                daemon off; master_process off; pid %1$s/pid; error_log stderr notice;
                events {}
                http {
                  access_log off; client_body_temp_path %1$s/b; proxy_temp_path %1$s/p;
                  fastcgi_temp_path %1$s/f; uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s;
                  server {
                    listen 127.0.0.1:%2$d ssl http2; ssl_protocols %3$s;
                    ssl_certificate %4$s; ssl_certificate_key %4$s;
                    location / { return 200 "hello $ssl_session_reused"; }
                  }
                }
                """
                        .formatted(own, port, protocols, OpenSsl.file(certificate)));
        OpenSsl server = OpenSsl.start("nginx", "-c", config.toString(), "-p", own.toString());
        server.await("using the \"epoll\" event method");
        OpenSsl.awaitListening(port);
        return new Nginx(server, port);
    }

    @Override
    public void close() {
        server.close();
    }
}
