package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;

import io.loomuring.UringSelectorProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.concurrent.Executors;

/** Non-blocking mode, the JDK's selectors over our channels, and what is built on them. */
@Timeout(60) // seconds a test; interrupts it
class NonBlockingTest {
    private static final long PATIENCE_MILLIS = 20_000;

    @ParameterizedTest
    @EnumSource
    void shouldNeverWait(Provider provider) throws Exception {
        try (var pair = provider.pair();
                ServerSocketChannel listener = provider.listener()) {
            listener.configureBlocking(false);
            assertThat(listener.accept()).isNull();
            pair.client().configureBlocking(false);
            for (ByteBuffer dst :
                    new ByteBuffer[] {ByteBuffer.allocate(9), ByteBuffer.allocateDirect(9)}) {
                assertThat(pair.client().read(dst)).isZero();
                pair.server().write(ByteBuffer.allocate(5));
                Attempt.eventually("data", () -> read(pair.client(), dst) != 0);
                assertThat(dst.position()).isEqualTo(5);
            }
            pair.server().shutdownOutput();
            Attempt.eventually("end", () -> read(pair.client(), ByteBuffer.allocate(1)) == -1);
        }
    }

    private static int read(SocketChannel channel, ByteBuffer dst) {
        try {
            return channel.read(dst);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldWriteWhatFits(Provider provider) throws Exception {
        for (boolean direct : new boolean[] {true, false}) {
            try (var pair = provider.pair()) {
                pair.client().configureBlocking(false);
                int size = 50_000_000;
                ByteBuffer src =
                        direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
                int n = pair.client().write(src);
                assertThat(n).isPositive().isLessThan(size);
                assertThat(src.position()).isEqualTo(n);
                if (!direct) {
                    assertThat(n).isGreaterThan(1 << 16); // more than one block of ours
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.loomuring.net.Cases#providersAndThreads")
    void shouldWaitWithAChangeOfModeForAReadUnderWay(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            var read =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            var change =
                    Attempt.start(thread, () -> pair.client().configureBlocking(false))
                            .awaitBlocked();
            pair.server().write(ByteBuffer.allocate(1));
            assertThat(read.get()).isEqualTo(1);
            change.get();
            assertThat(pair.client().read(ByteBuffer.allocate(1))).isZero();
            pair.client().configureBlocking(true);
            var again =
                    Attempt.start(thread, () -> pair.client().read(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            pair.server().write(ByteBuffer.allocate(1));
            assertThat(again.get()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldIgnoreInterruptsInNonBlockingMode(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            pair.client().configureBlocking(false);
            var read =
                    Attempt.start(
                            ThreadKind.PLATFORM,
                            () -> {
                                Thread.currentThread().interrupt();
                                return pair.client().read(ByteBuffer.allocate(1));
                            });
            assertThat(read.get()).isZero();
            assertThat(read.endedInterrupted()).isTrue();
            assertThat(pair.client().isOpen()).isTrue();
        }
    }

    // ---- selectors ----

    @ParameterizedTest
    @EnumSource
    void shouldAcceptConnectReadAndWriteBySelector(Provider provider) throws Exception {
        try (Selector selector = provider.get().openSelector();
                ServerSocketChannel listener = provider.listener();
                SocketChannel client = provider.socket()) {
            listener.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
            client.configureBlocking(false);
            boolean connected = client.connect(listener.getLocalAddress());
            client.register(selector, connected ? 0 : SelectionKey.OP_CONNECT);
            SocketChannel server = null;
            while (server == null || !client.isConnected()) {
                assertThat(selector.select(PATIENCE_MILLIS)).isPositive();
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.isAcceptable()) {
                        server = listener.accept();
                    }
                    if (key.isConnectable()) {
                        assertThat(client.isConnectionPending()).isTrue();
                        assertThat(client.finishConnect()).isTrue();
                        key.interestOps(0);
                    }
                }
                selector.selectedKeys().clear();
            }
            try (SocketChannel accepted = server) {
                SelectionKey key = client.keyFor(selector);
                key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                assertThat(selector.select(PATIENCE_MILLIS)).isEqualTo(1);
                assertThat(key.readyOps()).isEqualTo(SelectionKey.OP_WRITE);
                selector.selectedKeys().clear();
                key.interestOps(SelectionKey.OP_READ);
                assertThat(selector.selectNow()).isZero();
                accepted.write(ByteBuffer.allocate(3));
                assertThat(selector.select(PATIENCE_MILLIS)).isEqualTo(1);
                assertThat(key.isReadable()).isTrue();
                assertThat(client.read(ByteBuffer.allocate(9))).isEqualTo(3);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFinishARefusedConnectWithTheReason(Provider provider) throws Exception {
        InetSocketAddress nobody;
        try (ServerSocketChannel listener = provider.listener()) {
            nobody = (InetSocketAddress) listener.getLocalAddress();
        }
        try (Selector selector = provider.get().openSelector();
                SocketChannel client = provider.socket()) {
            client.configureBlocking(false);
            assertThatThrownBy(
                            () -> {
                                client.connect(nobody); // may fail at once
                                client.register(selector, SelectionKey.OP_CONNECT);
                                selector.select(PATIENCE_MILLIS);
                                client.finishConnect();
                            })
                    .isExactlyInstanceOf(ConnectException.class)
                    .hasMessage("Connection refused");
            assertThat(client.isOpen()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldShowThePeerTheEndBeforeTheSelectorLetsGo(Provider provider) throws Exception {
        try (Selector selector = provider.get().openSelector();
                var pair = provider.pair()) {
            pair.client().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            pair.client().close();
            assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(pair.client().isRegistered()).isTrue();
            selector.selectNow();
            assertThat(pair.client().isRegistered()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotBlockWhileRegistered(Provider provider) throws Exception {
        try (Selector selector = provider.get().openSelector();
                var pair = provider.pair()) {
            assertThatThrownBy(() -> pair.client().register(selector, SelectionKey.OP_READ))
                    .isInstanceOf(IllegalBlockingModeException.class);
            pair.client().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            assertThatThrownBy(() -> pair.client().configureBlocking(true))
                    .isInstanceOf(IllegalBlockingModeException.class);
            pair.client().close();
            assertThatThrownBy(() -> pair.client().register(selector, SelectionKey.OP_READ))
                    .isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void shouldCloseTheDescriptorWhenTheSelectorLetsGo() throws Exception {
        try (Selector selector = Provider.OURS.get().openSelector();
                var pair = Provider.OURS.pair()) {
            int fd = ((UringSocketChannel) pair.client()).getFDVal();
            pair.client().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            pair.client().close();
            assertThat(Descriptors.isOpen(fd)).isTrue();
            selector.selectNow();
            assertThat(Descriptors.isOpen(fd)).isFalse();
        }
    }

    // ---- what is built on them ----

    @Test
    void shouldServeHttpAndFetchIt() throws Exception {
        System.setProperty(
                "java.nio.channels.spi.SelectorProvider", UringSelectorProvider.class.getName());
        assertThat(SelectorProvider.provider()).isInstanceOf(UringSelectorProvider.class);
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient client = HttpClient.newBuilder().executor(threads).build()) {
            server.setExecutor(threads);
            server.createContext(
                    "/",
                    exchange -> {
                        try (InputStream body = exchange.getRequestBody()) {
                            byte[] bytes = body.readAllBytes();
                            exchange.sendResponseHeaders(200, bytes.length);
                            exchange.getResponseBody().write(bytes);
                        } finally {
                            exchange.close();
                        }
                    });
            server.start();
            URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + "/");
            var attempts = new ArrayList<Attempt<String>>();
            for (int i = 0; i < 50; i++) {
                String body = ("request " + i + " ").repeat(i * 100);
                attempts.add(
                        Attempt.start(
                                ThreadKind.VIRTUAL,
                                () -> {
                                    var request =
                                            HttpRequest.newBuilder(uri)
                                                    .POST(HttpRequest.BodyPublishers.ofString(body))
                                                    .build();
                                    String answer =
                                            client.send(
                                                            request,
                                                            HttpResponse.BodyHandlers.ofString(
                                                                    UTF_8))
                                                    .body();
                                    return answer.equals(body) ? "same" : answer;
                                }));
            }
            for (var attempt : attempts) {
                assertThat(attempt.get()).isEqualTo("same");
            }
        } finally {
            server.stop(0);
        }
    }
}
