package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.loomuring.LoomUring;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Sockets that connect by way of a proxy, which {@code java.net} puts in front of ours. */
@Timeout(60) // seconds a test; interrupts it
class SocketProxyTest {
    private ServerSocket target; // answers each byte by the next higher
    private ServerSocket proxy;
    private final Queue<String> asked = new ConcurrentLinkedQueue<>(); // of the proxy

    @BeforeEach
    void open() throws Exception {
        LoomUring.install();
        target = listen(SocketProxyTest::answer);
    }

    @AfterEach
    void close() throws IOException {
        target.close();
        proxy.close();
    }

    private interface Service {
        void serve(Socket connection) throws IOException;
    }

    /** A server, each connection of which is served by a virtual thread. */
    private static ServerSocket listen(Service service) throws IOException {
        var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        while (true) {
                            Socket connection = server.accept();
                            Thread.ofVirtual().start(() -> serve(service, connection));
                        }
                    } catch (IOException e) {
                        // closed: the end of the test
                    }
                });
        return server;
    }

    private static void serve(Service service, Socket connection) {
        try (connection) {
            service.serve(connection);
        } catch (IOException e) {
            // the other end sees it
        }
    }

    private static void answer(Socket connection) throws IOException {
        for (int b; (b = connection.getInputStream().read()) >= 0; ) {
            connection.getOutputStream().write(b + 1);
        }
    }

    private void relay(Socket client, String host, int port, byte[] success) throws IOException {
        asked.add(host + ":" + port);
        try (var onward = new Socket(Proxy.NO_PROXY)) {
            onward.connect(new InetSocketAddress(host, port));
            client.getOutputStream().write(success);
            Thread back = Thread.ofVirtual().start(() -> pump(onward, client));
            client.getInputStream().transferTo(onward.getOutputStream());
            onward.shutdownOutput();
            back.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void pump(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // the other end sees it
        }
    }

    /** SOCKS 5 without authentication, IPv4 addresses and names. */
    private void socks(Socket client) throws IOException {
        var in = new DataInputStream(client.getInputStream());
        assertThat(in.readByte()).isEqualTo((byte) 5);
        in.readNBytes(in.readUnsignedByte());
        client.getOutputStream().write(new byte[] {5, 0});
        in.readNBytes(3); // version, connect, reserved
        int kind = in.readUnsignedByte();
        String host =
                kind == 1
                        ? InetAddress.getByAddress(in.readNBytes(4)).getHostAddress()
                        : new String(in.readNBytes(in.readUnsignedByte()), ISO_8859_1);
        int port = in.readUnsignedShort();
        relay(client, host, port, new byte[] {5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    }

    private void http(Socket client) throws IOException {
        String request = line(client.getInputStream());
        while (!line(client.getInputStream()).isEmpty()) {}
        String[] words = request.split(" ", -1);
        assertThat(words[0]).isEqualTo("CONNECT");
        int colon = words[1].lastIndexOf(':');
        relay(
                client,
                words[1].substring(0, colon),
                Integer.parseInt(words[1].substring(colon + 1)),
                "HTTP/1.1 200 OK\r\n\r\n".getBytes(ISO_8859_1));
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int c; (c = in.read()) >= 0 && c != '\n'; ) {
            line.append(c == '\r' ? "" : Character.toString(c));
        }
        return line.toString();
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectByWayOfASocksProxy(ThreadKind thread) throws Exception {
        proxy = listen(this::socks);
        check(thread, Proxy.Type.SOCKS);
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectByWayOfAnHttpProxy(ThreadKind thread) throws Exception {
        proxy = listen(this::http);
        check(thread, Proxy.Type.HTTP);
    }

    private void check(ThreadKind thread, Proxy.Type type) throws Exception {
        int answer =
                Attempt.start(
                                thread,
                                () -> {
                                    var way = new Proxy(type, proxy.getLocalSocketAddress());
                                    try (var socket = new Socket(way)) {
                                        socket.setSoTimeout(30_000);
                                        socket.setTcpNoDelay(true);
                                        socket.connect(target.getLocalSocketAddress(), 30_000);
                                        assertThat(socket.getTcpNoDelay()).isTrue();
                                        socket.getOutputStream().write(41);
                                        return socket.getInputStream().read();
                                    }
                                })
                        .get();
        assertThat(answer).isEqualTo(42);
        assertThat(asked).containsExactly("127.0.0.1:" + target.getLocalPort());
    }

    @ParameterizedTest
    @EnumSource
    void shouldUseTheSocksProxyOfTheDefaultSelector(ThreadKind thread) throws Exception {
        proxy = listen(this::socks);
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(new SocksSelector(proxy.getLocalSocketAddress()));
        try {
            int answer =
                    Attempt.start(
                                    thread,
                                    () -> {
                                        int port = target.getLocalPort();
                                        try (var socket =
                                                new Socket(target.getInetAddress(), port)) {
                                            socket.getOutputStream().write(9);
                                            return socket.getInputStream().read();
                                        }
                                    })
                            .get();
            assertThat(answer).isEqualTo(10);
            assertThat(asked).containsExactly("127.0.0.1:" + target.getLocalPort());
        } finally {
            ProxySelector.setDefault(before);
        }
    }

    /** What {@code -DsocksProxyHost} would make, which spares the loopback interface. */
    private static final class SocksSelector extends ProxySelector {
        private final SocketAddress address;

        SocksSelector(SocketAddress address) {
            this.address = address;
        }

        @Override
        public List<Proxy> select(URI uri) {
            return List.of(new Proxy(Proxy.Type.SOCKS, address));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException e) {}
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailIfTheProxyDoes(ThreadKind thread) throws Exception {
        proxy = listen(client -> client.getInputStream().read());
        var way = new Proxy(Proxy.Type.SOCKS, proxy.getLocalSocketAddress());
        try (var socket = new Socket(way)) {
            var connect =
                    Attempt.start(
                            thread,
                            () -> {
                                socket.connect(target.getLocalSocketAddress());
                                return null;
                            });
            assertThat(connect.failure()).isInstanceOf(SocketException.class);
            assertThat(socket.isClosed()).isTrue();
        }
        assertThatThrownBy(() -> new Socket(new Proxy(Proxy.Type.DIRECT, new InetSocketAddress(1))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
