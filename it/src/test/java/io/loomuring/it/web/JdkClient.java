package io.loomuring.it.web;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The JDK's {@code java.net.http.HttpClient}, with one version of HTTP. */
final class JdkClient implements WebClient {
    private static final Duration UPGRADE_LIMIT = Duration.ofSeconds(30);

    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final Version version;
    private final HttpClient client;
    private final URI base;

    JdkClient(SocketAddress address, Wire wire, Version version)
            throws IOException, InterruptedException {
        this.version = version;
        var inet = (InetSocketAddress) address;
        base =
                URI.create(
                        (wire == Wire.TLS ? "https://" : "http://")
                                + inet.getAddress().getHostAddress()
                                + ":"
                                + inet.getPort());
        client =
                HttpClient.newBuilder()
                        .version(version)
                        .executor(executor)
                        .sslContext(Tls.CONTEXT)
                        .build();
        if (version == Version.HTTP_2) {
            // in clear text it is agreed upon by a request, which must have no body
            HttpRequest upgrade =
                    HttpRequest.newBuilder(base.resolve(new Ask(Body.EMPTY, Body.EMPTY).path()))
                            .timeout(UPGRADE_LIMIT)
                            .build();
            checkVersion(client.send(upgrade, BodyHandlers.discarding()));
        }
    }

    private void checkVersion(HttpResponse<?> response) throws IOException {
        if (response.version() != version) {
            throw new IOException(response.version() + " instead of " + version);
        }
    }

    @Override
    public Answer ask(Ask ask, Duration limit) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(ask.path()))
                        .timeout(limit)
                        .POST(publisher(ask.upload()))
                        .build();
        HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
        checkVersion(response);
        return new Answer(
                response.statusCode(),
                response.headers().firstValueAsLong("content-length").orElse(-1),
                header(response, Site.UPLOADED),
                tally(response.body(), limit),
                header(response, Site.CONNECTION),
                header(response, Site.THREAD));
    }

    /** Within a limit of its own: the request's ends with the answer's head. */
    private String tally(InputStream body, Duration limit)
            throws IOException, InterruptedException {
        try (body) {
            return executor.submit(() -> new Tally().add(body).toString())
                    .get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no end of the answer");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        }
    }

    private static BodyPublisher publisher(Body body) {
        if (!body.chunked() && body.length() == 0) {
            return BodyPublishers.noBody();
        }
        BodyPublisher content = BodyPublishers.ofInputStream(() -> new Content(body.length()));
        return body.chunked() ? content : BodyPublishers.fromPublisher(content, body.length());
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    @Override
    public void close() {
        client.shutdownNow();
        client.close();
        executor.close();
    }
}
