package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.testing.Await;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Channels seen as Socket and ServerSocket. */
@Timeout(60) // seconds a test; interrupts it
class ChannelSocketTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTransferByStreams(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            byte[] bytes = new byte[1_000_000];
            new Random(7).nextBytes(bytes);
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                var out = pair.client().socket().getOutputStream();
                                out.write(bytes[0]);
                                out.write(bytes, 1, bytes.length - 1);
                                out.write(bytes, 0, 0);
                                pair.client().socket().shutdownOutput();
                                return null;
                            });
            var read =
                    Attempt.start(
                            thread,
                            () -> {
                                var in = pair.server().socket().getInputStream();
                                int first = in.read();
                                byte[] rest = in.readAllBytes();
                                assertThat(in.read()).isEqualTo(-1);
                                assertThat(in.read(new byte[0])).isZero();
                                byte[] all = new byte[rest.length + 1];
                                all[0] = (byte) first;
                                System.arraycopy(rest, 0, all, 1, rest.length);
                                return all;
                            });
            assertThat(read.get()).isEqualTo(bytes);
            write.get();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadIntoThePartOfAnArray(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            pair.client().write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
            byte[] bytes = new byte[10];
            var in = pair.server().socket().getInputStream();
            assertThat(Attempt.start(thread, () -> in.read(bytes, 3, 2)).get()).isEqualTo(2);
            assertThat(in.available()).isEqualTo(2);
            assertThat(Attempt.start(thread, () -> in.read(bytes, 7, 3)).get()).isEqualTo(2);
            assertThat(bytes).containsExactly(0, 0, 0, 1, 2, 0, 0, 3, 4, 0);
            assertThatThrownBy(() -> in.read(bytes, 9, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldKeepNoArrayAliveWhileIdle(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            var arrays = Attempt.start(thread, () -> echoed(pair)).get();
            Await.collected("the arrays", arrays);
            assertThat(pair.client().isOpen() && pair.server().isOpen()).isTrue();
        }
    }

    /** The arrays that were written from and read into. */
    private static List<WeakReference<byte[]>> echoed(Provider.Pair pair) throws IOException {
        byte[] written = {1, 2, 3};
        byte[] read = new byte[3];
        pair.client().socket().getOutputStream().write(written);
        assertThat(pair.server().socket().getInputStream().readNBytes(read, 0, 3)).isEqualTo(3);
        assertThat(read).isEqualTo(written);
        return List.of(new WeakReference<>(written), new WeakReference<>(read));
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutAReadAndGoOn(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            pair.client().socket().setSoTimeout(20);
            var in = pair.client().socket().getInputStream();
            var read = Attempt.start(thread, () -> in.read());
            assertThat(read.failure())
                    .isExactlyInstanceOf(SocketTimeoutException.class)
                    .hasMessage("Read timed out");
            pair.client().socket().setSoTimeout(60_000);
            var again = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.server().write(ByteBuffer.wrap(new byte[] {42}));
            assertThat(again.get()).isEqualTo(42);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutAnAcceptAndGoOn(Provider provider, ThreadKind thread) throws Exception {
        try (ServerSocketChannel listener = provider.listener()) {
            ServerSocket socket = listener.socket();
            socket.setSoTimeout(20);
            assertThat(Attempt.start(thread, socket::accept).failure())
                    .isExactlyInstanceOf(SocketTimeoutException.class)
                    .hasMessage("Accept timed out");
            socket.setSoTimeout(60_000);
            var accept = Attempt.start(thread, socket::accept).awaitBlocked();
            try (SocketChannel client = provider.socket()) {
                client.socket().connect(listener.getLocalAddress());
                try (Socket accepted = accept.get()) {
                    assertThat(accepted.getChannel().isConnected()).isTrue();
                    assertThat(accepted.getPort()).isEqualTo(client.socket().getLocalPort());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldConnectWithATimeout(Provider provider, ThreadKind thread) throws Exception {
        try (ServerSocketChannel listener = provider.listener();
                SocketChannel client = provider.socket()) {
            Attempt.start(
                            thread,
                            () -> {
                                client.socket().connect(listener.getLocalAddress(), 60_000);
                                return null;
                            })
                    .get();
            assertThat(client.isConnected()).isTrue();
            assertThat(client.socket().isConnected()).isTrue();
            assertThatThrownBy(() -> client.socket().connect(listener.getLocalAddress(), 1))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Already connected");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldDescribeItself(Provider provider) throws Exception {
        try (ServerSocketChannel listener = provider.get().openServerSocketChannel();
                SocketChannel client = provider.socket()) {
            ServerSocket server = listener.socket();
            Socket socket = client.socket();
            assertThat(client.socket()).isSameAs(socket);
            assertThat(listener.socket()).isSameAs(server);
            assertThat(socket.getChannel()).isSameAs(client);
            assertThat(server.getChannel()).isSameAs(listener);
            assertThat(server.toString()).isEqualTo("ServerSocket[unbound]");
            assertThat(server.getLocalPort()).isEqualTo(-1);
            assertThat(server.getInetAddress()).isNull();
            assertThat(socket.toString()).isEqualTo("Socket[unconnected]");
            assertThat(socket.getLocalPort()).isEqualTo(-1);
            assertThat(socket.getPort()).isZero();
            assertThat(socket.isBound()).isFalse();
            assertThat(socket.getLocalAddress().isAnyLocalAddress()).isTrue();

            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 5);
            int port = server.getLocalPort();
            assertThat(server.toString())
                    .isEqualTo("ServerSocket[addr=/127.0.0.1,localport=" + port + "]");
            socket.connect(server.getLocalSocketAddress());
            listener.accept().close();
            int localPort = socket.getLocalPort();
            assertThat(socket.toString())
                    .isEqualTo(
                            "Socket[addr=/127.0.0.1,port=%d,localport=%d]"
                                    .formatted(port, localPort));
            assertThat(socket.isBound()).isTrue();
            assertThat(socket.getLocalAddress().isLoopbackAddress()).isTrue();
            socket.close();
            assertThat(client.isOpen()).isFalse();
            assertThat(socket.isClosed()).isTrue();
            assertThat(socket.getLocalPort()).isEqualTo(localPort);
            assertThat(socket.getPort()).isEqualTo(port);
            assertThat(socket.getLocalAddress().isAnyLocalAddress()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheOptionsOfASocket(Provider provider) throws Exception {
        try (var pair = provider.pair();
                ServerSocketChannel listener = provider.listener()) {
            Socket socket = pair.client().socket();
            socket.setTcpNoDelay(true);
            assertThat(socket.getTcpNoDelay()).isTrue();
            socket.setSoLinger(true, 3);
            assertThat(socket.getSoLinger()).isEqualTo(3);
            socket.setSoLinger(false, 3);
            assertThat(socket.getSoLinger()).isEqualTo(-1);
            socket.setOOBInline(true);
            assertThat(socket.getOOBInline()).isTrue();
            socket.setKeepAlive(true);
            assertThat(socket.getKeepAlive()).isTrue();
            socket.setReuseAddress(true);
            assertThat(socket.getReuseAddress()).isTrue();
            socket.setTrafficClass(0x10);
            assertThat(socket.getTrafficClass()).isEqualTo(0x10);
            socket.setSendBufferSize(40_000);
            assertThat(socket.getSendBufferSize()).isGreaterThanOrEqualTo(40_000);
            socket.setReceiveBufferSize(40_000);
            assertThat(socket.getReceiveBufferSize()).isGreaterThanOrEqualTo(40_000);
            socket.setSoTimeout(7);
            assertThat(socket.getSoTimeout()).isEqualTo(7);
            assertThat(socket.setOption(StandardSocketOptions.TCP_NODELAY, false)).isSameAs(socket);
            assertThat(socket.getOption(StandardSocketOptions.TCP_NODELAY)).isFalse();
            assertThat(socket.supportedOptions()).isEqualTo(pair.client().supportedOptions());
            listener.socket().setReceiveBufferSize(40_000);
            assertThat(listener.socket().getReceiveBufferSize()).isGreaterThanOrEqualTo(40_000);
            listener.socket().setReuseAddress(false);
            assertThat(listener.socket().getReuseAddress()).isFalse();
            assertThatThrownBy(() -> socket.setSendBufferSize(0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> socket.setSoTimeout(-1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendUrgentData(Provider provider) throws Exception {
        try (var pair = provider.pair()) {
            pair.server().socket().setOOBInline(true);
            pair.client().socket().sendUrgentData(7);
            assertThat(pair.server().socket().getInputStream().read()).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailAsTheJdksDoes(Provider provider) throws Exception {
        try (SocketChannel channel = provider.socket();
                ServerSocketChannel listener = provider.get().openServerSocketChannel()) {
            Socket socket = channel.socket();
            assertThatThrownBy(socket::getInputStream)
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is not connected");
            assertThatThrownBy(socket::shutdownInput)
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is not connected");
            assertThatThrownBy(() -> socket.connect(null))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> listener.socket().accept())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is not bound yet");
            listener.socket().bind(null);
            assertThatThrownBy(() -> listener.socket().bind(null))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Already bound");
            assertThatThrownBy(
                            () -> {
                                try (ServerSocketChannel other =
                                        provider.get().openServerSocketChannel()) {
                                    other.socket().bind(listener.getLocalAddress());
                                }
                            })
                    .isExactlyInstanceOf(BindException.class);
            listener.configureBlocking(false);
            assertThatThrownBy(() -> listener.socket().accept())
                    .isInstanceOf(IllegalBlockingModeException.class);
            channel.connect(
                    new InetSocketAddress(
                            InetAddress.getLoopbackAddress(), listener.socket().getLocalPort()));
            var in = socket.getInputStream();
            var out = socket.getOutputStream();
            channel.configureBlocking(false);
            assertThatThrownBy(in::read).isInstanceOf(IllegalBlockingModeException.class);
            assertThatThrownBy(() -> out.write(1)).isInstanceOf(IllegalBlockingModeException.class);
            channel.configureBlocking(true);
            socket.shutdownInput();
            assertThat(socket.isInputShutdown()).isTrue();
            assertThat(in.read()).isEqualTo(-1);
            assertThat(in.available()).isZero();
            assertThatThrownBy(socket::getInputStream)
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket input is shutdown");
            socket.shutdownOutput();
            assertThat(socket.isOutputShutdown()).isTrue();
            assertThatThrownBy(() -> out.write(1))
                    .isExactlyInstanceOf(ClosedChannelException.class);
            socket.close();
            Stream.<ThrowingCallable>of(
                            socket::getInputStream,
                            socket::getOutputStream,
                            socket::getTcpNoDelay,
                            () -> socket.setSoTimeout(1),
                            () -> socket.connect(InetSocketAddress.createUnresolved("nohost", 1)))
                    .forEach(call ->
                            assertThatThrownBy(call)
                                    .isExactlyInstanceOf(SocketException.class)
                                    .hasMessage("Socket is closed"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldCloseWhenTheHostIsUnknown(Provider provider) throws IOException {
        try (SocketChannel channel = provider.socket()) {
            assertThatThrownBy(() ->
                            channel.socket()
                                    .connect(InetSocketAddress.createUnresolved("nohost", 1)))
                    .isExactlyInstanceOf(UnknownHostException.class)
                    .hasMessage("nohost/<unresolved>:1");
            assertThat(channel.isOpen()).isFalse();
        }
    }
}
