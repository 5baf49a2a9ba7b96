package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/** The JDK's own users of channels, sockets and selectors work on the carriers. */
@ExtendWith(OnRings.class)
class HttpClientAgentIT {
    private static final int REQUESTS = 1_000;
    private static final int REQUESTS_AT_ONCE = 64;
    private static final int BODY_BYTES_LOG2_MAX = 20;
    private static final int ECHOES = 200;
    private static final int CLIENTS_EACH_KIND = 7;
    private static final Duration REQUEST_WAIT = Duration.ofSeconds(30);
    private static final InetSocketAddress LOOPBACK =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final FirstFailure failure = new FirstFailure();
    private final SplittableRandom random = Settings.random("http");

    @Test
    void anHttpClientGetsEveryAnswerFromAnHttpServer() throws Exception {
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient client =
                        HttpClient.newBuilder()
                                .version(Version.HTTP_1_1)
                                .executor(executor)
                                .build()) {
            HttpServer server = HttpServer.create(LOOPBACK, 1024);
            server.setExecutor(executor);
            server.createContext("/echo", HttpClientAgentIT::echo);
            server.start();
            URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + "/echo");
            var atOnce = new Semaphore(REQUESTS_AT_ONCE); // else bodies fill the heap
            var answers = new ArrayList<Future<Boolean>>();
            for (int i = 0; i < REQUESTS; i++) {
                byte[] body = body(random.split());
                atOnce.acquire();
                answers.add(
                        executor.submit(() -> {
                            try {
                                return request(client, uri, body);
                            } finally {
                                atOnce.release();
                            }
                        }));
            }
            for (Future<Boolean> answer : answers) {
                assertThat(answer.get()).isTrue();
            }
            server.stop(0);
        }
    }

    private static byte[] body(SplittableRandom random) {
        int bytesMax = 1 << random.nextInt(BODY_BYTES_LOG2_MAX + 1);
        var body = new byte[random.nextInt(bytesMax + 1)];
        random.nextBytes(body);
        return body;
    }

    private static boolean request(HttpClient client, URI uri, byte[] body) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(uri)
                        .timeout(REQUEST_WAIT)
                        .POST(BodyPublishers.ofByteArray(body))
                        .build();
        HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEqualTo(body);
        return true;
    }

    private static void echo(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
            if (body.length > 0) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void plainSocketsWork(ThreadKind kind) throws Exception {
        try (var listener = new ServerSocket()) {
            listener.bind(LOOPBACK);
            Thread server =
                    kind.unstarted("server", failure.guard("server", () -> echoOnce(listener)));
            server.start();
            var address = (InetSocketAddress) listener.getLocalSocketAddress();
            Thread client = kind.unstarted("client", failure.guard("client", () -> talk(address)));
            client.start();
            Patience.join(List.of(client, server), REQUEST_WAIT);
            failure.rethrow();
        }
    }

    private static void echoOnce(ServerSocket listener) throws IOException {
        try (Socket socket = listener.accept()) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        }
    }

    private static void talk(InetSocketAddress address) throws IOException {
        try (var socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout((int) REQUEST_WAIT.toMillis());
            for (int i = 0; i < ECHOES; i++) {
                socket.getOutputStream().write(i);
                assertThat(socket.getInputStream().read()).isEqualTo(i & 0xff);
            }
            socket.shutdownOutput();
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSelectorLoopServesBlockingClients(ThreadKind kind) throws Exception {
        int clients = CLIENTS_EACH_KIND * ThreadKind.values().length;
        try (var selector = Selector.open();
                var listener = ServerSocketChannel.open()) {
            listener.bind(LOOPBACK);
            listener.configureBlocking(false);
            listener.register(selector, SelectionKey.OP_ACCEPT);
            var address = (InetSocketAddress) listener.getLocalAddress();
            var threads = new ArrayList<Thread>();
            threads.add(
                    kind.unstarted(
                            "selector", failure.guard("selector", () -> serve(selector, clients))));
            for (ThreadKind client : ThreadKind.values()) {
                for (int i = 0; i < CLIENTS_EACH_KIND; i++) {
                    threads.add(
                            client.unstarted(
                                    "client", failure.guard("client", () -> talk(address))));
                }
            }
            threads.forEach(Thread::start);
            Patience.join(threads, REQUEST_WAIT);
            failure.rethrow();
        }
    }

    /** Echoes on all connections until that many have ended. */
    private static void serve(Selector selector, int connections) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1024);
        int ended = 0;
        while (ended < connections) {
            selector.select();
            var keys = selector.selectedKeys().iterator();
            while (keys.hasNext()) {
                SelectionKey key = keys.next();
                keys.remove();
                if (key.isAcceptable()) {
                    SocketChannel connection = ((ServerSocketChannel) key.channel()).accept();
                    if (connection != null) {
                        connection.configureBlocking(false);
                        connection.register(selector, SelectionKey.OP_READ);
                    }
                } else if (((SocketChannel) key.channel()).read(buffer.clear()) < 0) {
                    key.channel().close();
                    ended++;
                } else {
                    ((SocketChannel) key.channel()).write(buffer.flip()); // fits by far
                }
            }
        }
    }
}
