package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.UringSelectorProvider;
import io.loomuring.testing.Inetd;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import sun.nio.ch.SelChImpl;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A process whose standard input is a socket, as inetd starts it. */
@Timeout(60) // seconds a test; interrupts it
class InheritedChannelTest {
    @TempDir Path folder;

    /** What is started: says what it got, serves one byte, closes, says what is left. */
    static final class Server {
        public static void main(String[] arguments) throws Exception {
            List<String> report = new ArrayList<>();
            Channel channel = System.inheritedChannel();
            try {
                report.add(describe(channel));
                report.add("same: " + Objects.equals(System.inheritedChannel(), channel));
                Thread.ofVirtual().start(() -> serve(channel, report)).join();
                if (channel != null) {
                    channel.close();
                }
                report.add("input: " + Files.readSymbolicLink(Path.of("/proc/self/fd/0")));
            } finally {
                Files.write(Path.of(arguments[0]), report);
            }
        }

        private static String describe(Channel channel) {
            return switch (channel) {
                case null -> "none";
                case UringSocketChannel connected ->
                        "connected by " + connected.provider().getClass().getName();
                case UringServerSocketChannel listening ->
                        "listening by " + listening.provider().getClass().getName();
                case DatagramChannel datagrams -> "datagrams";
                default -> channel.toString();
            };
        }

        private static void serve(Channel channel, List<String> report) {
            try {
                switch (channel) {
                    case ServerSocketChannel listening -> {
                        try (SocketChannel accepted = listening.accept()) {
                            echo(accepted);
                        }
                    }
                    case SocketChannel connected -> echo(connected);
                    case null, default -> {}
                }
            } catch (IOException e) {
                report.add(e.toString());
            }
        }

        private static void echo(SocketChannel channel) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(1);
            channel.read(buffer);
            channel.write(buffer.flip());
        }
    }

    private int start(SelChImpl socket, Path report) {
        return Inetd.start(
                socket.getFDVal(),
                List.of(
                        "-Dloomuring.mode=required",
                        "-Djava.nio.channels.spi.SelectorProvider="
                                + UringSelectorProvider.class.getName(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Server.class.getName(),
                        report.toString()));
    }

    private static List<String> reportOf(int pid, Path report) throws Exception {
        assertThat(Inetd.statusOf(pid)).isZero();
        return Files.readAllLines(report);
    }

    private static void assertEcho(SocketChannel channel) throws IOException {
        channel.write(ByteBuffer.wrap(new byte[] {42}));
        ByteBuffer answer = ByteBuffer.allocate(2);
        assertThat(channel.read(answer)).isEqualTo(1);
        assertThat(answer.get(0)).isEqualTo((byte) 42);
        assertThat(channel.read(answer)).isEqualTo(-1); // nobody has it any more
    }

    /** As inetd's {@code nowait}. */
    @ParameterizedTest
    @EnumSource(
            value = StandardProtocolFamily.class,
            names = {"INET", "UNIX"})
    void shouldServeTheConnectionThatIsStandardInput(StandardProtocolFamily family)
            throws Exception {
        Path report = folder.resolve("report");
        try (var pair = Provider.JDK.pair(family)) {
            pair.server().configureBlocking(false); // as a server with a selector would have it
            int pid = start((SelChImpl) pair.server(), report);
            pair.server().close();
            assertEcho(pair.client());
            assertThat(reportOf(pid, report))
                    .containsExactly(
                            "connected by " + UringSelectorProvider.class.getName(),
                            "same: true",
                            "input: /dev/null");
        }
    }

    /** As inetd's {@code wait}. */
    @SuppressWarnings("try") // closes early: that is the test
    @ParameterizedTest
    @EnumSource(
            value = StandardProtocolFamily.class,
            names = {"INET6", "UNIX"})
    void shouldAcceptFromTheListenerThatIsStandardInput(StandardProtocolFamily family)
            throws Exception {
        Path report = folder.resolve("report");
        SocketAddress address;
        int pid;
        try (ServerSocketChannel listener = Provider.JDK.listener(family);
                SocketChannel client = Provider.JDK.socket(family)) {
            address = listener.getLocalAddress();
            pid = start((SelChImpl) listener, report);
            listener.close();
            client.connect(address);
            assertEcho(client);
            assertThat(reportOf(pid, report))
                    .containsExactly(
                            "listening by " + UringSelectorProvider.class.getName(),
                            "same: true",
                            "input: /dev/null");
        }
        if (address instanceof UnixDomainSocketAddress unix) {
            Files.delete(unix.getPath());
        }
    }

    @Test
    void shouldKnowDatagramsAndWhatIsNoSocket() throws Exception {
        Path report = folder.resolve("report");
        try (DatagramChannel datagrams = Provider.JDK.get().openDatagramChannel()) {
            int pid = start((SelChImpl) datagrams, report);
            assertThat(reportOf(pid, report).getFirst()).isEqualTo("datagrams");
        }
        try (var pipe = Provider.JDK.pipe()) {
            int pid = start((SelChImpl) pipe.source(), report);
            assertThat(reportOf(pid, report).getFirst()).isEqualTo("none");
        }
    }
}
