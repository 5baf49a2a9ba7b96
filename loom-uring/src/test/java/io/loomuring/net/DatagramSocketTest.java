package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.net.StandardProtocolFamily.INET;

import io.loomuring.LoomUring;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** {@code DatagramSocket}, and a channel's {@code socket()}, which is one: as the JDK's. */
@Timeout(60) // seconds a test; interrupts it
class DatagramSocketTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int SHORT_MILLIS = 50;
    private static final int LONG_MILLIS = 60_000;

    /** The two ways to one, bound to the loopback interface. */
    enum Kind {
        SOCKET {
            @Override
            DatagramSocket open(Provider provider) throws IOException {
                return provider.datagramSocket();
            }
        },
        ADAPTOR {
            @Override
            DatagramSocket open(Provider provider) throws IOException {
                return provider.datagram(INET).socket();
            }
        };

        abstract DatagramSocket open(Provider provider) throws IOException;
    }

    static Stream<Arguments> kindsAndThreads() {
        return Cases.providersAndThreads()
                .flatMap(first ->
                        Stream.of(Kind.values())
                                .map(kind -> Arguments.of(first.get()[0], first.get()[1], kind)));
    }

    private static DatagramPacket packet(DatagramSocket target, int... bytes) {
        byte[] content = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            content[i] = (byte) bytes[i];
        }
        return new DatagramPacket(content, content.length, target.getLocalSocketAddress());
    }

    private static Attempt<DatagramPacket> receive(
            ThreadKind thread, DatagramSocket socket, int room) {
        return Attempt.start(
                thread,
                () -> {
                    var packet = new DatagramPacket(new byte[room], room);
                    socket.receive(packet);
                    return packet;
                });
    }

    @Test
    void shouldUseTheRing() throws Exception {
        try (DatagramSocket receiver = Provider.OURS.datagramSocket();
                DatagramSocket sender = Provider.OURS.datagramSocket()) {
            long before = LoomUring.counters().operations;
            Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                sender.send(packet(receiver, 1));
                                receiver.receive(new DatagramPacket(new byte[1], 1));
                                return null;
                            })
                    .get();
            Attempt.eventually(
                    "two more operations", () -> LoomUring.counters().operations >= before + 2);
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldReceivePackets(Provider provider, ThreadKind thread, Kind kind) throws Exception {
        try (DatagramSocket receiver = kind.open(provider);
                DatagramSocket sender = kind.open(provider)) {
            for (int length : new int[] {0, 3, 20_000, 65_507}) {
                for (boolean waits : new boolean[] {true, false}) {
                    byte[] bytes = new byte[length];
                    Arrays.fill(bytes, (byte) length);
                    var sent = new DatagramPacket(bytes, length, receiver.getLocalSocketAddress());
                    if (!waits) {
                        sender.send(sent);
                    }
                    var packet = new DatagramPacket(new byte[length + 10], 5, length + 5);
                    var receive =
                            Attempt.start(
                                    thread,
                                    () -> {
                                        receiver.receive(packet);
                                        return null;
                                    });
                    if (waits) {
                        receive.awaitBlocked();
                        Attempt.start(
                                        thread,
                                        () -> {
                                            sender.send(sent);
                                            return null;
                                        })
                                .get();
                    }
                    receive.get();
                    assertThat(packet.getLength()).isEqualTo(length);
                    assertThat(packet.getOffset()).isEqualTo(5);
                    assertThat(packet.getSocketAddress()).isEqualTo(sender.getLocalSocketAddress());
                    assertThat(Arrays.copyOfRange(packet.getData(), 5, 5 + length))
                            .isEqualTo(bytes);
                }
            }
            // the room stays what it was, whatever came
            var packet = new DatagramPacket(new byte[2], 2);
            for (int[] bytes : new int[][] {{1}, {1, 2, 3}}) {
                sender.send(packet(receiver, bytes));
                receiver.receive(packet);
                assertThat(packet.getLength()).isEqualTo(Math.min(2, bytes.length));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldTimeOut(Provider provider, ThreadKind thread, Kind kind) throws Exception {
        try (DatagramSocket receiver = kind.open(provider);
                DatagramSocket sender = kind.open(provider)) {
            for (int room : new int[] {1, 60_000}) {
                receiver.setSoTimeout(SHORT_MILLIS);
                assertThat(receiver.getSoTimeout()).isEqualTo(SHORT_MILLIS);
                long start = System.nanoTime();
                assertThat(receive(thread, receiver, room).failure())
                        .isExactlyInstanceOf(SocketTimeoutException.class)
                        .hasMessage("Receive timed out");
                assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(50_000_000L);
                receiver.setSoTimeout(LONG_MILLIS);
                var receive = receive(thread, receiver, room).awaitBlocked();
                sender.send(packet(receiver, 7));
                assertThat(receive.get().getData()[0]).isEqualTo((byte) 7);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kindsAndThreads")
    void shouldFailAReceiveWhenClosed(Provider provider, ThreadKind thread, Kind kind)
            throws Exception {
        for (int timeout : new int[] {0, LONG_MILLIS}) {
            DatagramSocket socket = kind.open(provider);
            socket.setSoTimeout(timeout);
            var receive = receive(thread, socket, 1).awaitBlocked();
            socket.close();
            assertThat(receive.failure())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket closed");
            assertThat(receive(thread, socket, 1).failure())
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket closed");
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldEndAVirtualThreadsReceiveAloneWhenInterrupted(Provider provider, ThreadKind thread)
            throws Exception {
        try (DatagramSocket socket = provider.datagramSocket();
                DatagramSocket sender = provider.datagramSocket()) {
            for (int i = 0; i < 2; i++) {
                var receive = receive(thread, socket, 1).awaitBlocked();
                receive.thread().interrupt();
                if (thread == ThreadKind.PLATFORM) {
                    receive.awaitBlocked();
                    sender.send(packet(socket, 1));
                    receive.get();
                    assertThat(socket.isClosed()).isFalse();
                } else {
                    assertThat(receive.failure())
                            .isExactlyInstanceOf(SocketException.class)
                            .hasMessage("Closed by interrupt");
                    assertThat(socket.isClosed()).isTrue();
                    return;
                }
                assertThat(receive.endedInterrupted()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTransferWhatNeedsNoWaitingWhenInterruptedBefore(Provider provider, ThreadKind thread)
            throws Exception {
        try (DatagramSocket socket = provider.datagramSocket()) {
            for (int i = 0; i < 500; i++) { // a race with the carrier that would take it over
                int room = i % 2 == 0 ? 1 : 60_000;
                var attempt =
                        Attempt.start(
                                thread,
                                () -> {
                                    Thread.currentThread().interrupt();
                                    socket.send(packet(socket, 1));
                                    socket.receive(new DatagramPacket(new byte[room], room));
                                    return null;
                                });
                attempt.get();
                assertThat(attempt.endedInterrupted()).isTrue();
                assertThat(socket.isClosed()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldCloseTheChannelOfAnAdaptorWhenInterrupted(Provider provider, ThreadKind thread)
            throws Exception {
        try (DatagramSocket socket = Kind.ADAPTOR.open(provider)) {
            var receive = receive(thread, socket, 1).awaitBlocked();
            receive.thread().interrupt();
            assertThat(receive.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(socket.isClosed()).isTrue();
            assertThat(receive.endedInterrupted()).isTrue();
        }
    }

    static Stream<Arguments> providersAndKinds() {
        return Stream.of(Provider.values())
                .flatMap(provider ->
                        Stream.of(Kind.values()).map(kind -> Arguments.of(provider, kind)));
    }

    @ParameterizedTest
    @MethodSource("providersAndKinds")
    @SuppressWarnings("try") // closed before its end, on purpose
    void shouldConnectAndDisconnect(Provider provider, Kind kind) throws Exception {
        try (DatagramSocket socket = kind.open(provider);
                DatagramSocket peer = kind.open(provider);
                DatagramSocket other = kind.open(provider)) {
            assertThat(socket.isConnected()).isFalse();
            assertThat(socket.getPort()).isEqualTo(-1);
            assertThat(socket.getInetAddress()).isNull();
            assertThat(socket.getRemoteSocketAddress()).isNull();
            int port = socket.getLocalPort();
            assertThatThrownBy(() -> socket.send(new DatagramPacket(new byte[1], 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Address not set");
            socket.connect(peer.getLocalSocketAddress());
            assertThat(socket.isConnected()).isTrue();
            assertThat(socket.getPort()).isEqualTo(peer.getLocalPort());
            assertThat(socket.getInetAddress()).isEqualTo(LOOPBACK);
            var packet = new DatagramPacket(new byte[1], 1);
            socket.send(packet);
            assertThat(packet.getSocketAddress()).isEqualTo(peer.getLocalSocketAddress());
            peer.receive(packet);
            assertThatThrownBy(() -> socket.send(packet(other, 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Connected and packet address differ");
            socket.connect(LOOPBACK, other.getLocalPort()); // without a disconnect before
            assertThat(socket.getPort()).isEqualTo(other.getLocalPort());
            socket.disconnect();
            assertThat(socket.isConnected()).isFalse();
            assertThat(socket.getLocalPort()).isEqualTo(port);
            assertThatThrownBy(() -> socket.connect(null, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> socket.connect(null))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> socket.connect(LOOPBACK, 0))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasCauseInstanceOf(SocketException.class);
            socket.connect(peer.getLocalSocketAddress());
            peer.close();
            socket.send(new DatagramPacket(new byte[1], 1));
            assertThatThrownBy(() -> socket.receive(new DatagramPacket(new byte[1], 1)))
                    .isInstanceOf(PortUnreachableException.class);
            socket.close();
            assertThat(socket.isConnected()).isTrue();
            assertThat(socket.getLocalPort()).isEqualTo(-1);
            assertThat(socket.getLocalAddress()).isNull();
            assertThat(socket.getLocalSocketAddress()).isNull();
            assertThatThrownBy(() -> socket.setSoTimeout(1))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is closed");
            assertThatThrownBy(() -> socket.bind(null))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is closed");
            assertThatThrownBy(() -> socket.setBroadcast(true))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is closed");
        }
    }

    @ParameterizedTest
    @MethodSource("providersAndKinds")
    void shouldKeepWhatIsSet(Provider provider, Kind kind) throws Exception {
        try (DatagramSocket socket = kind.open(provider)) {
            assertThatThrownBy(() -> socket.bind(null))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Already bound");
            socket.setReceiveBufferSize(50_000);
            assertThat(socket.getReceiveBufferSize()).isGreaterThanOrEqualTo(50_000);
            socket.setSendBufferSize(50_000);
            assertThat(socket.getSendBufferSize()).isGreaterThanOrEqualTo(50_000);
            assertThatThrownBy(() -> socket.setSendBufferSize(0))
                    .isInstanceOf(IllegalArgumentException.class);
            socket.setReuseAddress(true);
            assertThat(socket.getReuseAddress()).isTrue();
            socket.setBroadcast(false);
            assertThat(socket.getBroadcast()).isFalse();
            socket.setTrafficClass(0x10);
            assertThat(socket.getTrafficClass()).isEqualTo(0x10);
            socket.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 9);
            assertThat(socket.getOption(StandardSocketOptions.IP_MULTICAST_TTL)).isEqualTo(9);
            assertThat(socket.supportedOptions()).isEqualTo(provider.datagram().supportedOptions());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotBlockANonBlockingChannel(Provider provider) throws Exception {
        try (DatagramChannel channel = provider.datagram(INET)) {
            channel.configureBlocking(false);
            DatagramSocket socket = channel.socket();
            assertThat(channel.socket()).isSameAs(socket);
            assertThat(socket.getChannel()).isSameAs(channel);
            assertThatThrownBy(() -> socket.receive(new DatagramPacket(new byte[1], 1)))
                    .isInstanceOf(IllegalBlockingModeException.class);
            assertThatThrownBy(() -> socket.send(packet(socket, 1)))
                    .isInstanceOf(IllegalBlockingModeException.class);
        }
    }

    // ---- new DatagramSocket, new MulticastSocket ----

    @Test
    void shouldComeAsTheJdkConfiguresThem() throws Exception {
        LoomUring.install();
        try (var socket = new DatagramSocket();
                var unbound = new DatagramSocket(null);
                var bound = new DatagramSocket(0, LOOPBACK);
                var multicast = new MulticastSocket()) {
            assertThat(socket.isBound()).isTrue();
            assertThat(socket.getBroadcast()).isTrue();
            assertThat(socket.getReuseAddress()).isFalse();
            assertThat(socket.getChannel()).isNull();
            assertThat(unbound.isBound()).isFalse();
            assertThat(bound.getLocalAddress()).isEqualTo(LOOPBACK);
            assertThat(multicast.getReuseAddress()).isTrue();
            assertThatThrownBy(() -> new DatagramSocket(bound.getLocalPort(), LOOPBACK))
                    .isInstanceOf(java.net.BindException.class);
        }
    }

    @Test
    @SuppressWarnings({"deprecation", "removal"})
    void shouldJoinAndLeaveGroups() throws Exception {
        LoomUring.install();
        NetworkInterface loopback = NetworkInterface.getByInetAddress(LOOPBACK);
        var group = new InetSocketAddress(InetAddress.ofLiteral("225.4.5.6"), 0);
        List<MulticastSocket> sockets =
                List.of(
                        new MulticastSocket(),
                        (MulticastSocket) Provider.OURS.datagram(INET).socket(),
                        (MulticastSocket) Provider.JDK.datagram(INET).socket());
        for (MulticastSocket socket : sockets) {
            socket.joinGroup(group, loopback);
            assertThatThrownBy(() -> socket.joinGroup(group, loopback))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Already a member of group");
            socket.leaveGroup(group, loopback);
            assertThatThrownBy(() -> socket.leaveGroup(group, loopback))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Not a member of group");
            assertThatThrownBy(() -> socket.joinGroup(LOOPBACK))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Not a multicast address");
            assertThatThrownBy(() -> socket.joinGroup(null, loopback))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(socket.getNetworkInterface().getIndex()).isZero();
            assertThat(socket.getInterface().isAnyLocalAddress()).isTrue();
            socket.setInterface(LOOPBACK);
            assertThat(socket.getInterface()).isEqualTo(LOOPBACK);
            assertThat(socket.getNetworkInterface()).isEqualTo(loopback);
            socket.setNetworkInterface(loopback);
            assertThatThrownBy(() -> socket.setInterface(null))
                    .isExactlyInstanceOf(SocketException.class);
            assertThatThrownBy(() -> socket.setInterface(InetAddress.ofLiteral("192.0.2.1")))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessageStartingWith("No network interface found with address");
            socket.setTimeToLive(5);
            assertThat(socket.getTTL()).isEqualTo((byte) 5);
            socket.setTTL((byte) -1);
            assertThat(socket.getTimeToLive()).isEqualTo(255);
            socket.setLoopbackMode(true);
            assertThat(socket.getLoopbackMode()).isTrue();
            var packet = new DatagramPacket(new byte[1], 1, LOOPBACK, socket.getLocalPort());
            socket.send(packet, (byte) 3);
            assertThat(socket.getTimeToLive()).isEqualTo(255);
            socket.receive(packet);
            socket.close();
            assertThatThrownBy(() -> socket.joinGroup(group, loopback))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Socket is closed");
        }
    }
}
