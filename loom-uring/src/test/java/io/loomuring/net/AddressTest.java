package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.NotYetBoundException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.stream.Stream;

/** Addresses of all families: bind, connect, accept, and what the ends say of each other. */
@Timeout(60) // seconds a test; interrupts it
class AddressTest {
    static Stream<Arguments> families() {
        return Stream.of(Provider.values())
                .flatMap(provider ->
                        Stream.of(StandardProtocolFamily.values())
                                .map(family -> Arguments.of(provider, family)));
    }

    @ParameterizedTest
    @MethodSource("families")
    void shouldKnowBothEndsOfAConnection(Provider provider, ProtocolFamily family)
            throws Exception {
        try (var pair = provider.pair(family)) {
            assertThat(pair.server().getRemoteAddress()).isEqualTo(pair.client().getLocalAddress());
            assertThat(pair.client().getRemoteAddress()).isEqualTo(pair.server().getLocalAddress());
            assertThat(pair.client().getLocalAddress()).isNotNull();
            assertThat(pair.client().toString())
                    .isEqualTo(
                            "java.nio.channels.SocketChannel[connected local="
                                    + pair.client().getLocalAddress()
                                    + " remote="
                                    + pair.client().getRemoteAddress()
                                    + "]");
            pair.client().write(ByteBuffer.allocate(1));
            assertThat(pair.server().read(ByteBuffer.allocate(2))).isEqualTo(1);
            pair.client().shutdownInput().shutdownOutput();
            assertThat(pair.client().toString()).contains("connected ishut oshut ");
            pair.client().close();
            assertThat(pair.client().toString())
                    .isEqualTo("java.nio.channels.SocketChannel[closed]");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSeeIPv4PeersOfADualStackListenerAsIPv4(Provider provider) throws Exception {
        try (ServerSocketChannel listener =
                        provider.get()
                                .openServerSocketChannel()
                                .bind(new InetSocketAddress(InetAddress.ofLiteral("::"), 0));
                SocketChannel client = provider.socket()) {
            int port = ((InetSocketAddress) listener.getLocalAddress()).getPort();
            client.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
            try (SocketChannel server = listener.accept()) {
                var remote = (InetSocketAddress) server.getRemoteAddress();
                assertThat(remote.getAddress()).isInstanceOf(Inet4Address.class);
                assertThat(remote).isEqualTo(client.getLocalAddress());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldConnectToTheWildcardAsLoopback(Provider provider) throws Exception {
        try (ServerSocketChannel listener =
                provider.get().openServerSocketChannel().bind(new InetSocketAddress(0))) {
            int port = ((InetSocketAddress) listener.getLocalAddress()).getPort();
            for (String any : new String[] {"0.0.0.0", "::"}) {
                try (SocketChannel client = provider.socket()) {
                    client.connect(new InetSocketAddress(InetAddress.ofLiteral(any), port));
                    var remote = (InetSocketAddress) client.getRemoteAddress();
                    assertThat(remote.getAddress().isLoopbackAddress()).isTrue();
                    listener.accept().close();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepTheScopeOfLinkLocalAddresses(Provider provider) throws Exception {
        Inet6Address linkLocal = linkLocalAddress();
        assumeTrue(linkLocal != null, "no interface has an IPv6 link-local address");
        try (ServerSocketChannel listener =
                        provider.get()
                                .openServerSocketChannel()
                                .bind(new InetSocketAddress(linkLocal, 0));
                SocketChannel client = provider.socket()) {
            client.connect(listener.getLocalAddress());
            try (SocketChannel server = listener.accept()) {
                var remote = (InetSocketAddress) server.getRemoteAddress();
                assertThat(((Inet6Address) remote.getAddress()).getScopeId())
                        .isEqualTo(linkLocal.getScopeId());
            }
        }
    }

    private static Inet6Address linkLocalAddress() throws SocketException {
        for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            for (InetAddress address : Collections.list(each.getInetAddresses())) {
                if (address instanceof Inet6Address inet6 && inet6.isLinkLocalAddress()) {
                    return inet6;
                }
            }
        }
        return null;
    }

    @ParameterizedTest
    @EnumSource
    void shouldBindBeforeConnecting(Provider provider) throws Exception {
        try (ServerSocketChannel listener = provider.listener();
                SocketChannel client = provider.socket()) {
            assertThat(client.getLocalAddress()).isNull();
            assertThat(client.toString()).isEqualTo("java.nio.channels.SocketChannel[unconnected]");
            client.bind(null);
            var bound = (InetSocketAddress) client.getLocalAddress();
            assertThat(bound.getAddress().isAnyLocalAddress()).isTrue();
            assertThatThrownBy(() -> client.bind(null)).isInstanceOf(AlreadyBoundException.class);
            client.connect(listener.getLocalAddress());
            var connected = (InetSocketAddress) client.getLocalAddress();
            assertThat(connected.getPort()).isEqualTo(bound.getPort());
            assertThat(connected.getAddress().isLoopbackAddress()).isTrue();
            assertThatThrownBy(() -> client.bind(null)).isInstanceOf(AlreadyBoundException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToBindToAPortInUse(Provider provider) throws Exception {
        try (ServerSocketChannel listener = provider.listener();
                ServerSocketChannel other = provider.get().openServerSocketChannel();
                SocketChannel client = provider.socket()) {
            assertThatThrownBy(() -> other.bind(listener.getLocalAddress()))
                    .isExactlyInstanceOf(BindException.class)
                    .hasMessage("Address already in use");
            assertThatThrownBy(() -> client.bind(listener.getLocalAddress()))
                    .isExactlyInstanceOf(BindException.class);
            assertThatThrownBy(() -> other.accept()).isInstanceOf(NotYetBoundException.class);
            assertThatThrownBy(() -> listener.bind(null)).isInstanceOf(AlreadyBoundException.class);
            assertThat(other.getLocalAddress()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseIPv6AddressesOnIPv4Sockets(Provider provider) throws Exception {
        var inet6 = new InetSocketAddress(InetAddress.ofLiteral("::1"), 1);
        try (SocketChannel client = provider.socket(StandardProtocolFamily.INET)) {
            assertThatThrownBy(() -> client.connect(inet6))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> client.bind(inet6))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseUnknownFamilies(Provider provider) {
        ProtocolFamily unknown = () -> "UNKNOWN";
        assertThatThrownBy(() -> provider.socket(unknown))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("Protocol family not supported");
        assertThatThrownBy(() -> provider.get().openServerSocketChannel(unknown))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("Protocol family not supported");
        assertThatThrownBy(() -> provider.socket(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("'family' is null");
    }

    // ---- Unix domain ----

    @ParameterizedTest
    @EnumSource
    void shouldConnectToAPath(Provider provider, @TempDir Path folder) throws Exception {
        var address = UnixDomainSocketAddress.of(folder.resolve("sökket"));
        try (ServerSocketChannel listener =
                        provider.get().openServerSocketChannel(StandardProtocolFamily.UNIX);
                SocketChannel client = provider.socket(StandardProtocolFamily.UNIX)) {
            assertThat(listener.toString()).endsWith("[unbound]");
            listener.bind(address);
            assertThat(listener.getLocalAddress()).isEqualTo(address);
            assertThat(listener.toString()).endsWith("[" + address + "]");
            client.connect(address);
            try (SocketChannel server = listener.accept()) {
                assertThat(server.getRemoteAddress()).isEqualTo(UnixDomainSocketAddress.of(""));
                assertThat(server.getLocalAddress()).isEqualTo(address);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSeeTheOtherEndsPath(Provider provider, @TempDir Path folder) throws Exception {
        var here = UnixDomainSocketAddress.of(folder.resolve("listener"));
        var there = UnixDomainSocketAddress.of(folder.resolve("client"));
        try (ServerSocketChannel listener =
                        provider.get().openServerSocketChannel(StandardProtocolFamily.UNIX);
                SocketChannel client = provider.socket(StandardProtocolFamily.UNIX)) {
            listener.bind(here);
            client.bind(there);
            assertThat(client.getLocalAddress()).isEqualTo(there);
            client.connect(here);
            try (SocketChannel server = listener.accept()) {
                assertThat(server.getRemoteAddress()).isEqualTo(there);
                assertThat(server.getLocalAddress()).isEqualTo(here);
                assertThat(client.getRemoteAddress()).isEqualTo(here);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldBindToATemporaryPath(Provider provider) throws Exception {
        try (ServerSocketChannel listener = provider.listener(StandardProtocolFamily.UNIX)) {
            Path path = ((UnixDomainSocketAddress) listener.getLocalAddress()).getPath();
            assertThat(Files.exists(path)).isTrue();
            Files.delete(path);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailToConnectToPathsThatNobodyListensOn(Provider provider, @TempDir Path folder)
            throws Exception {
        assertConnectFails(provider, folder.resolve("none"))
                .isExactlyInstanceOf(SocketException.class)
                .hasMessage("No such file or directory");
        Path file = Files.createFile(folder.resolve("file"));
        assertConnectFails(provider, file)
                .isExactlyInstanceOf(ConnectException.class)
                .hasMessage("Connection refused");
        assertConnectFails(provider, folder.resolve("x".repeat(120)))
                .isExactlyInstanceOf(SocketException.class)
                .hasMessage("Unix domain path too long");
        assertConnectFails(provider, Path.of(""))
                .isExactlyInstanceOf(ConnectException.class)
                .hasMessage("Connection refused");
    }

    private static AbstractThrowableAssert<?, ?> assertConnectFails(Provider provider, Path path)
            throws IOException {
        try (SocketChannel client = provider.socket(StandardProtocolFamily.UNIX)) {
            var failure =
                    assertThatThrownBy(() -> client.connect(UnixDomainSocketAddress.of(path)));
            assertThat(client.isOpen()).isFalse();
            return failure;
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveNoSocketForUnixDomain(Provider provider) throws Exception {
        try (SocketChannel client = provider.socket(StandardProtocolFamily.UNIX);
                ServerSocketChannel listener =
                        provider.get().openServerSocketChannel(StandardProtocolFamily.UNIX)) {
            assertThatThrownBy(client::socket)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("Not supported");
            assertThatThrownBy(listener::socket)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("Not supported");
        }
    }
}
