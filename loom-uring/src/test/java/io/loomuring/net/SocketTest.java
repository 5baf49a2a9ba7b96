package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomuring.LoomUring;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** {@code Socket} and {@code ServerSocket}: streams, timeouts, half-close, states. */
@Timeout(60) // seconds a test; interrupts it
class SocketTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int SHORT_MILLIS = 50;
    private static final int LONG_MILLIS = 60_000;

    @Test
    void shouldUseTheRing() throws Exception {
        try (var pair = Provider.OURS.plainPair()) {
            long before = LoomUring.counters().operations;
            Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                pair.client().getOutputStream().write(1);
                                return pair.server().getInputStream().read();
                            })
                    .get();
            Attempt.eventually(
                    "two more operations", () -> LoomUring.counters().operations >= before + 2);
        }
    }

    // ---- streams ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTransferByStreams(Provider provider, ThreadKind thread) throws Exception {
        byte[] bytes = new byte[1_000_000];
        new Random(7).nextBytes(bytes);
        try (var pair = provider.plainPair()) {
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                OutputStream out = pair.client().getOutputStream();
                                out.write(bytes[0]);
                                out.write(bytes, 1, 1);
                                out.write(bytes, 2, 0);
                                out.write(bytes, 2, bytes.length - 2);
                                pair.client().shutdownOutput();
                                return null;
                            });
            var read = Attempt.start(thread, () -> pair.server().getInputStream().readAllBytes());
            assertThat(read.get()).isEqualTo(bytes);
            write.get();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadIntoThePartOfAnArray(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.plainPair()) {
            byte[] bytes = new byte[6];
            InputStream in = pair.server().getInputStream();
            var read = Attempt.start(thread, () -> in.read(bytes, 1, 3)).awaitBlocked();
            pair.client().getOutputStream().write(new byte[] {1, 2, 3, 4});
            assertThat(read.get()).isEqualTo(3);
            assertThat(in.available()).isEqualTo(1);
            assertThat(bytes).containsExactly(0, 1, 2, 3, 0, 0);
            assertThat(in.read(bytes, 0, 0)).isZero();
            assertThatThrownBy(() -> in.read(bytes, 5, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldStayAtTheEndOnceItWasRead(Provider provider) throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            pair.server().close();
            assertThat(in.read()).isEqualTo(-1);
            pair.client().close();
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadAndWriteAtTheSameTime(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.client().getOutputStream().write(1);
            assertThat(pair.server().getInputStream().read()).isOne();
            assertThat(read.isDone()).isFalse();
            pair.server().getOutputStream().write(2);
            assertThat(read.get()).isEqualTo(2);
        }
    }

    // ---- timeouts ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutReadsAndGoOn(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            pair.client().setSoTimeout(SHORT_MILLIS);
            List<Attempt<Integer>> reads = new ArrayList<>();
            for (int i = 0; i < 3; i++) { // the second and third wait for the first, too
                reads.add(Attempt.start(thread, () -> in.read()));
            }
            for (Attempt<Integer> read : reads) {
                assertThat(read.failure())
                        .isExactlyInstanceOf(SocketTimeoutException.class)
                        .hasMessage("Read timed out");
            }
            pair.client().setSoTimeout(LONG_MILLIS);
            var again = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.server().getOutputStream().write(42);
            assertThat(again.get()).isEqualTo(42);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutAReadThatWaitsForAnotherOne(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            var first = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.client().setSoTimeout(SHORT_MILLIS);
            assertThat(Attempt.start(thread, () -> in.read()).failure())
                    .isExactlyInstanceOf(SocketTimeoutException.class)
                    .hasMessage("Read timed out");
            assertThat(first.isDone()).isFalse();
            pair.server().getOutputStream().write(7);
            assertThat(first.get()).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutAcceptsAndGoOn(Provider provider, ThreadKind thread) throws Exception {
        try (ServerSocket server = provider.serverSocket();
                Socket client = provider.plainSocket()) {
            server.setSoTimeout(SHORT_MILLIS);
            var first = Attempt.start(thread, server::accept);
            var second = Attempt.start(thread, server::accept);
            for (Attempt<Socket> accept : List.of(first, second)) {
                assertThat(accept.failure())
                        .isExactlyInstanceOf(SocketTimeoutException.class)
                        .hasMessage("Accept timed out");
            }
            server.setSoTimeout(LONG_MILLIS);
            var again = Attempt.start(thread, server::accept).awaitBlocked();
            client.connect(server.getLocalSocketAddress(), LONG_MILLIS);
            try (Socket accepted = again.get()) {
                assertThat(accepted.getPort()).isEqualTo(client.getLocalPort());
                assertThat(accepted.getLocalPort()).isEqualTo(client.getPort());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldGiveUpAConnectThatTakesTooLong(Provider provider, ThreadKind thread)
            throws Exception {
        try (Socket socket = provider.plainSocket()) {
            assertThat(connect(thread, socket, Silence.ADDRESS, SHORT_MILLIS).failure())
                    .isExactlyInstanceOf(SocketTimeoutException.class)
                    .hasMessage("Connect timed out");
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldCloseAfterAConnectionWasRefused(Provider provider, ThreadKind thread)
            throws Exception {
        SocketAddress address;
        try (ServerSocket server = provider.serverSocket()) {
            address = server.getLocalSocketAddress();
        }
        for (int timeout : new int[] {0, LONG_MILLIS}) {
            try (Socket socket = provider.plainSocket()) {
                assertThat(connect(thread, socket, address, timeout).failure())
                        .isExactlyInstanceOf(ConnectException.class)
                        .hasMessage("Connection refused");
                assertThat(socket.isClosed()).isTrue();
            }
        }
    }

    private static Attempt<Object> connect(
            ThreadKind thread, Socket socket, SocketAddress remote, int timeoutMillis) {
        return Attempt.start(
                thread,
                () -> {
                    socket.connect(remote, timeoutMillis);
                    return null;
                });
    }

    // ---- half-close, urgent data, reset ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldEndAWaitingReadWhenTheInputIsShutDown(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.client().shutdownInput();
            assertThat(read.get()).isEqualTo(-1);
            assertThat(in.available()).isZero();
            pair.client().getOutputStream().write(1);
            assertThat(pair.server().getInputStream().read()).isOne();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailAWriteAfterTheOutputWasShutDown(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.plainPair()) {
            OutputStream out = pair.client().getOutputStream();
            pair.client().shutdownOutput();
            assertThat(pair.server().getInputStream().read()).isEqualTo(-1);
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                out.write(1);
                                return null;
                            });
            assertThat(write.failure())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Broken pipe");
            pair.server().getOutputStream().write(2);
            assertThat(pair.client().getInputStream().read()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldSendUrgentData(Provider provider, ThreadKind thread) throws Exception {
        for (boolean inline : new boolean[] {true, false}) {
            try (var pair = provider.plainPair()) {
                pair.server().setOOBInline(inline);
                Attempt.start(
                                thread,
                                () -> {
                                    pair.client().getOutputStream().write('a');
                                    pair.client().sendUrgentData('b');
                                    pair.client().getOutputStream().write('c');
                                    pair.client().shutdownOutput();
                                    return null;
                                })
                        .get();
                assertThat(new String(pair.server().getInputStream().readAllBytes(), UTF_8))
                        .isEqualTo(inline ? "abc" : "ac");
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldStayResetOnceItWas(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.server().setSoLinger(true, 0);
            pair.server().close();
            for (Attempt<Integer> each : List.of(read, Attempt.start(thread, () -> in.read()))) {
                assertThat(each.failure())
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Connection reset");
            }
            pair.client().shutdownInput();
            assertThat(Attempt.start(thread, () -> in.read()).failure())
                    .hasMessage("Connection reset");
        }
    }

    // ---- states ----

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // close before the block does
    void shouldTellWhatItIs(Provider provider) throws Exception {
        try (ServerSocket server = provider.unboundServerSocket();
                Socket client = provider.plainSocket()) {
            assertThat(client.getLocalPort()).isEqualTo(-1);
            assertThat(client.getPort()).isZero();
            assertThat(client.getLocalAddress().isAnyLocalAddress()).isTrue();
            server.bind(new InetSocketAddress(LOOPBACK, 0), 5);
            client.bind(new InetSocketAddress(LOOPBACK, 0));
            int localPort = client.getLocalPort();
            assertThat(localPort).isPositive();
            client.connect(server.getLocalSocketAddress());
            Socket accepted = server.accept();
            assertThat(client.getLocalPort()).isEqualTo(localPort);
            assertThat(accepted.getPort()).isEqualTo(localPort);
            assertThat(accepted.getInetAddress()).isEqualTo(client.getLocalAddress());
            assertThat(server.getInetAddress()).isEqualTo(LOOPBACK);
            assertThat(client.toString())
                    .isEqualTo(
                            "Socket[addr=/127.0.0.1,port=%d,localport=%d]"
                                    .formatted(server.getLocalPort(), localPort));
            client.close();
            accepted.close();
            assertThat(client.getLocalPort()).isEqualTo(localPort);
            assertThat(client.getPort()).isEqualTo(server.getLocalPort());
            assertThat(accepted.getLocalAddress().isAnyLocalAddress()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // close before the block does
    void shouldRefuseWhatItsStateForbids(Provider provider) throws Exception {
        try (Socket socket = provider.plainSocket()) {
            assertThatThrownBy(() -> socket.sendUrgentData(1))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Not connected");
            assertThatThrownBy(() -> socket.connect(InetSocketAddress.createUnresolved("x.y", 1)))
                    .isExactlyInstanceOf(UnknownHostException.class)
                    .hasMessageContaining("x.y");
            assertThat(socket.isClosed()).isTrue();
        }
        try (var pair = provider.plainPair()) {
            InputStream in = pair.client().getInputStream();
            OutputStream out = pair.client().getOutputStream();
            pair.client().close();
            pair.client().close();
            for (var call :
                    List.<ThrowingCallable>of(in::read, () -> out.write(1), in::available)) {
                assertThatThrownBy(call)
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Socket closed");
            }
        }
        try (ServerSocket server = provider.serverSocket()) {
            assertThatThrownBy(() -> server.bind(null)).hasMessage("Already bound");
            server.close();
            assertThatThrownBy(server::accept).hasMessage("Socket is closed");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectToItselfByTheWildcardAddress(Provider provider) throws Exception {
        try (ServerSocket server = provider.unboundServerSocket();
                Socket client = provider.plainSocket()) {
            server.bind(new InetSocketAddress(0));
            client.connect(new InetSocketAddress("0.0.0.0", server.getLocalPort()));
            assertThat(client.getInetAddress()).isEqualTo(InetAddress.getLocalHost());
            server.accept().close();
        }
    }

    // ---- events ----

    @ParameterizedTest
    @EnumSource
    void shouldReportEachReadAndWriteOnceToJfr(Provider provider, @TempDir Path folder)
            throws Exception {
        Path file = folder.resolve("events.jfr");
        try (var recording = new Recording();
                var pair = provider.plainPair()) {
            for (String event : List.of(SocketEvent.READ, SocketEvent.WRITE)) {
                recording.enable(event).withoutThreshold().with("throttle", "off");
            }
            recording.start();
            pair.client().getOutputStream().write(new byte[3]);
            assertThat(pair.server().getInputStream().read(new byte[5])).isEqualTo(3);
            int port = pair.client().getLocalPort();
            recording.stop();
            recording.dump(file);
            assertThat(
                            RecordingFile.readAllEvents(file).stream()
                                    .map(event -> SocketEvent.of(event))
                                    .filter(event ->
                                            event.port() == port
                                                    || event.port() == pair.client().getPort()))
                    .containsExactlyInAnyOrder(
                            new SocketEvent(SocketEvent.WRITE, pair.client().getPort(), 3),
                            new SocketEvent(SocketEvent.READ, port, 3));
        }
    }

    private record SocketEvent(String name, int port, long bytes) {
        static final String READ = "jdk.SocketRead";
        static final String WRITE = "jdk.SocketWrite";

        static SocketEvent of(RecordedEvent event) {
            String name = event.getEventType().getName();
            return new SocketEvent(
                    name,
                    event.getInt("port"),
                    event.getLong(name.equals(READ) ? "bytesRead" : "bytesWritten"));
        }
    }

    // ---- accept into sockets of subclasses ----

    private static final class AcceptingServer extends ServerSocket {
        AcceptingServer() throws IOException {
            super(0, 50, InetAddress.getLoopbackAddress());
        }

        void acceptInto(Socket socket) throws IOException {
            implAccept(socket);
        }
    }

    private static final class EmptySocket extends Socket {
        EmptySocket() throws IOException {
            super((SocketImpl) null);
        }
    }

    @Test
    void shouldAcceptIntoSocketsOfOthers() throws Exception {
        Socket withProxy = new Socket(Proxy.NO_PROXY);
        withProxy.setSoTimeout(1234); // is kept
        for (Socket target :
                List.of(new EmptySocket(), new Socket(), withProxy, Provider.JDK.plainSocket())) {
            try (var server = new AcceptingServer();
                    Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                    target) {
                int timeout = target instanceof EmptySocket ? 0 : target.getSoTimeout();
                server.acceptInto(target);
                client.getOutputStream().write(5);
                assertThat(target.getInputStream().read()).isEqualTo(5);
                assertThat(target.getSoTimeout()).isEqualTo(timeout);
            }
        }
    }

    // ---- leaks ----

    @Test
    void shouldCloseTheDescriptorOfASocketThatWasDropped() throws Exception {
        Descriptors.expectDroppedSocketsToBeClosed(SocketTest::drop);
    }

    @SuppressWarnings("resource") // is what it is about
    private static void drop() throws IOException {
        for (int i = 0; i < 10; i++) {
            Provider.OURS.plainPair();
        }
    }

    @Test
    void shouldKeepASocketOpenThatIsReadFrom() throws Exception {
        var server = Provider.OURS.serverSocket();
        List<Attempt<Integer>> readers = new ArrayList<>();
        for (ThreadKind kind : ThreadKind.values()) {
            readers.add(readerOfDropped(kind, server));
        }
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(20);
        }
        List<Socket> peers = new ArrayList<>();
        for (int i = 0; i < readers.size(); i++) { // they come in an order of their own
            Socket peer = server.accept();
            peer.getOutputStream().write(9);
            peers.add(peer);
        }
        for (Attempt<Integer> reader : readers) {
            assertThat(reader.get()).isEqualTo(9);
        }
        for (Socket peer : peers) {
            peer.close();
        }
        server.close();
    }

    private static Attempt<Integer> readerOfDropped(ThreadKind kind, ServerSocket server) {
        return Attempt.start(
                        kind,
                        () ->
                                new Socket(server.getInetAddress(), server.getLocalPort())
                                        .getInputStream()
                                        .read())
                .awaitBlocked();
    }

    @ParameterizedTest
    @EnumSource
    void shouldLeaveNoDescriptorsBehind(ThreadKind thread) throws Exception {
        Attempt.start(thread, SocketTest::openAndClose).get();
        long before = Descriptors.sockets();
        for (int i = 0; i < 200; i++) {
            Attempt.start(thread, SocketTest::openAndClose).get();
        }
        Attempt.eventually("all are closed", () -> countSockets() <= before);
    }

    private static long countSockets() {
        try {
            return Descriptors.sockets();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Object openAndClose() throws IOException {
        try (var pair = Provider.OURS.plainPair()) {
            pair.client().getOutputStream().write(1);
            assertThat(pair.server().getInputStream().read()).isOne();
        }
        new Socket().close();
        new ServerSocket().close();
        return null;
    }
}
