package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;

import io.loomuring.LoomUring;

import jdk.net.ExtendedSocketOptions;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** Datagram channels: transfers, connecting, closing, options, groups; as the JDK's. */
@Timeout(60) // seconds a test; interrupts it
class DatagramChannelTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int LARGE = 60_000; // more than a buffer of the ring holds

    @Test
    void shouldUseTheRing() throws Exception {
        try (DatagramChannel receiver = Provider.OURS.datagram(INET);
                DatagramChannel sender = Provider.OURS.datagram(INET)) {
            long before = LoomUring.counters().operations;
            Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                sender.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
                                return receiver.receive(ByteBuffer.allocate(1));
                            })
                    .get();
            Attempt.eventually(
                    "two more operations", () -> LoomUring.counters().operations >= before + 2);
        }
    }

    // ---- transfers ----

    /** Kinds of buffers; each has some room before its position and after its limit. */
    enum Memory {
        HEAP {
            @Override
            ByteBuffer allocate(int size) {
                return ByteBuffer.allocate(size);
            }
        },
        DIRECT {
            @Override
            ByteBuffer allocate(int size) {
                return ByteBuffer.allocateDirect(size);
            }
        },
        ARENA {
            @Override
            ByteBuffer allocate(int size) {
                return Arena.ofAuto().allocate(size).asByteBuffer();
            }
        };

        abstract ByteBuffer allocate(int size);

        ByteBuffer room(int size) {
            ByteBuffer slice = allocate(size + 20).position(5).slice();
            return slice.position(7).limit(7 + size);
        }

        ByteBuffer of(byte[] bytes) {
            ByteBuffer buffer = room(bytes.length);
            return buffer.put(bytes).position(7);
        }
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static byte[] content(ByteBuffer received, int from) {
        byte[] bytes = new byte[received.position() - from];
        received.get(from, bytes);
        return bytes;
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReceiveWhatWasSent(Provider provider, ThreadKind thread) throws Exception {
        try (DatagramChannel receiver = provider.datagram(INET);
                DatagramChannel sender = provider.datagram(INET)) {
            for (Memory memory : Memory.values()) {
                for (int length : new int[] {0, 1, 100, 16_384, 16_385, LARGE, 65_507}) {
                    byte[] bytes = bytes(length);
                    ByteBuffer dst = memory.room(length);
                    var receive = Attempt.start(thread, () -> receiver.receive(dst));
                    for (ByteBuffer src : List.of(memory.of(bytes))) {
                        var send =
                                Attempt.start(
                                        thread, () -> sender.send(src, receiver.getLocalAddress()));
                        assertThat(send.get()).isEqualTo(length);
                        assertThat(src.hasRemaining()).isFalse();
                    }
                    assertThat(receive.get()).isEqualTo(sender.getLocalAddress());
                    assertThat(content(dst, 7)).isEqualTo(bytes);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldSendFromReadOnlyBuffersAndNotReceiveIntoThem(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.datagramPair()) {
            ByteBuffer src = ByteBuffer.wrap(bytes(10)).asReadOnlyBuffer();
            Attempt.start(thread, () -> pair.one().write(src)).get();
            ByteBuffer readOnly = ByteBuffer.allocate(10).asReadOnlyBuffer();
            List<Callable<Object>> calls =
                    List.of(
                            () -> pair.other().receive(readOnly),
                            () -> pair.other().read(readOnly),
                            () -> pair.other().read(new ByteBuffer[] {readOnly, readOnly}));
            for (Callable<Object> call : calls) {
                assertThat(Attempt.start(thread, call).failure())
                        .isExactlyInstanceOf(IllegalArgumentException.class)
                        .hasMessage("Read-only buffer");
            }
            ByteBuffer dst = ByteBuffer.allocate(11);
            Attempt.start(thread, () -> pair.other().read(dst)).get();
            assertThat(content(dst, 0)).isEqualTo(bytes(10));
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldWaitForADatagram(Provider provider, ThreadKind thread) throws Exception {
        try (DatagramChannel receiver = provider.datagram(INET);
                DatagramChannel sender = provider.datagram(INET)) {
            for (Memory memory : Memory.values()) {
                for (int room : new int[] {0, 10, LARGE}) {
                    ByteBuffer dst = memory.room(room);
                    var receive = Attempt.start(thread, () -> receiver.receive(dst)).awaitBlocked();
                    sender.send(ByteBuffer.wrap(bytes(10)), receiver.getLocalAddress());
                    assertThat(receive.get()).isEqualTo(sender.getLocalAddress());
                    assertThat(dst.position()).isEqualTo(7 + Math.min(10, room));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldCutADatagramToTheRoomThereIs(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.datagramPair()) {
            for (Memory memory : Memory.values()) {
                for (int room : new int[] {0, 10, 20_000}) {
                    pair.one().write(ByteBuffer.wrap(bytes(room + 30_000)));
                    pair.one().write(ByteBuffer.wrap(bytes(3)));
                    ByteBuffer dst = memory.room(room);
                    Attempt.start(thread, () -> pair.other().receive(dst)).get();
                    assertThat(content(dst, 7))
                            .isEqualTo(Arrays.copyOf(bytes(room + 30_000), room));
                    ByteBuffer next = memory.room(5);
                    assertThat(Attempt.start(thread, () -> pair.other().read(next)).get())
                            .isEqualTo(3);
                    assertThat(content(next, 7)).isEqualTo(bytes(3));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldScatterAndGatherOneDatagram(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.datagramPair()) {
            byte[] bytes = bytes(LARGE);
            ByteBuffer[] srcs = {
                ByteBuffer.allocate(9), // not in the row
                ByteBuffer.wrap(bytes, 0, 50_000).asReadOnlyBuffer(),
                ByteBuffer.allocate(0),
                Memory.DIRECT.of(Arrays.copyOfRange(bytes, 50_000, LARGE)),
                ByteBuffer.allocate(9)
            };
            assertThat(Attempt.start(thread, () -> pair.one().write(srcs, 1, 3)).get())
                    .isEqualTo(LARGE);
            assertThat(srcs[1].hasRemaining() || srcs[3].hasRemaining()).isFalse();
            ByteBuffer[] dsts = {
                ByteBuffer.allocateDirect(30_000),
                ByteBuffer.allocate(0),
                ByteBuffer.allocate(LARGE)
            };
            assertThat(Attempt.start(thread, () -> pair.other().read(dsts)).get()).isEqualTo(LARGE);
            assertThat(content(dsts[0], 0)).isEqualTo(Arrays.copyOf(bytes, 30_000));
            assertThat(content(dsts[2], 0)).isEqualTo(Arrays.copyOfRange(bytes, 30_000, LARGE));
            ByteBuffer[] few = {ByteBuffer.allocate(1), ByteBuffer.allocateDirect(2)};
            var read = Attempt.start(thread, () -> pair.other().read(few)).awaitBlocked();
            pair.one().write(ByteBuffer.wrap(bytes(100)));
            assertThat(read.get()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTreatEmptyOnesAsTheJdkDoes(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.datagramPair();
                DatagramChannel sender = provider.datagram(INET)) {
            ByteBuffer empty = ByteBuffer.allocate(0);
            assertThat(Attempt.start(thread, () -> pair.one().write(empty)).get()).isZero();
            assertThat(Attempt.start(thread, () -> pair.other().read(empty)).get()).isZero();
            ByteBuffer[] row = {empty, empty};
            assertThat(Attempt.start(thread, () -> pair.one().write(row)).get()).isZero();
            assertThat(Attempt.start(thread, () -> pair.other().read(row)).get()).isZero();
            pair.other().configureBlocking(false);
            assertThat(pair.other().receive(ByteBuffer.allocate(1))).isNull();
            pair.other().configureBlocking(true);

            pair.other().disconnect();
            SocketAddress address = pair.other().getLocalAddress();
            Attempt.start(thread, () -> sender.send(empty, address)).get();
            assertThat(
                            Attempt.start(
                                            thread,
                                            () -> pair.other().receive(ByteBuffer.allocate(1)))
                                    .get())
                    .isEqualTo(sender.getLocalAddress());

            pair.other().connect(sender.getLocalAddress());
            sender.send(empty, address);
            assertThat(Attempt.start(thread, () -> pair.other().read(ByteBuffer.allocate(1))).get())
                    .isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReturnTheSameObjectForTheSameSender(ThreadKind thread) throws Exception {
        try (DatagramChannel receiver = Provider.OURS.datagram(INET);
                DatagramChannel one = Provider.OURS.datagram(INET);
                DatagramChannel other = Provider.OURS.datagram(INET)) {
            Callable<SocketAddress> receive = () -> receiver.receive(ByteBuffer.allocate(1));
            one.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
            one.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
            SocketAddress first = Attempt.start(thread, receive).get();
            assertThat(Attempt.start(thread, receive).get()).isSameAs(first);
            other.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
            assertThat(Attempt.start(thread, receive).get()).isEqualTo(other.getLocalAddress());
            one.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
            assertThat(Attempt.start(thread, receive).get()).isEqualTo(first);
        }
    }

    @Test
    void shouldHoldNoMemoryWhileAReceiverWaits() throws Exception {
        try (var pair = Provider.OURS.datagramPair()) {
            List<Callable<Object>> calls =
                    List.of(
                            () -> pair.other().receive(ByteBuffer.allocate(100)),
                            () -> pair.other().read(ByteBuffer.allocate(LARGE)),
                            () ->
                                    pair.other()
                                            .read(
                                                    new ByteBuffer[] {
                                                        ByteBuffer.allocate(1),
                                                        ByteBuffer.allocate(1)
                                                    }));
            for (Callable<Object> call : calls) {
                var read = ScatterGatherTest.waitingWithoutScratch(call);
                pair.one().write(ByteBuffer.allocate(1));
                read.get();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldSendBetweenFamilies(Provider provider, ThreadKind thread) throws Exception {
        try (DatagramChannel dual = provider.datagram();
                DatagramChannel four = provider.datagram(INET);
                DatagramChannel six = provider.datagram(INET6)) {
            dual.bind(null);
            int port = ((InetSocketAddress) dual.getLocalAddress()).getPort();
            for (DatagramChannel other : List.of(four, six)) {
                var local = (InetSocketAddress) other.getLocalAddress();
                other.send(ByteBuffer.allocate(1), new InetSocketAddress(local.getAddress(), port));
                ByteBuffer dst = ByteBuffer.allocate(1);
                var from = (InetSocketAddress) Attempt.start(thread, () -> dual.receive(dst)).get();
                assertThat(from).isEqualTo(local);
                assertThat(from.getAddress()).hasSameClassAs(local.getAddress());
                assertThat(Attempt.start(thread, () -> dual.send(dst.flip(), from)).get())
                        .isEqualTo(1);
                assertThat(other.receive(ByteBuffer.allocate(1))).isNotNull();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldServeBothDirectionsAtOnce(Provider provider, ThreadKind thread) throws Exception {
        int count = 2_000;
        try (DatagramChannel echo = provider.datagram(INET);
                var pair = provider.datagramPair()) {
            pair.one().disconnect();
            pair.one().connect(echo.getLocalAddress());
            var server =
                    Attempt.start(
                            thread,
                            () -> {
                                ByteBuffer buffer = ByteBuffer.allocate(8);
                                for (int i = 0; i < count; i++) {
                                    SocketAddress from = echo.receive(buffer.clear());
                                    echo.send(buffer.flip(), from);
                                }
                                return null;
                            });
            var client =
                    Attempt.start(
                            thread,
                            () -> {
                                ByteBuffer buffer = ByteBuffer.allocateDirect(8);
                                for (long i = 0; i < count; i++) {
                                    pair.one().write(buffer.clear().putLong(0, i));
                                    pair.one().read(buffer.clear());
                                    assertThat(buffer.getLong(0)).isEqualTo(i);
                                }
                                return null;
                            });
            client.get();
            server.get();
        }
    }

    // ---- failures ----

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTellThatAPortIsUnreachable(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.datagramPair()) {
            SocketAddress closed = pair.other().getLocalAddress();
            pair.other().close();
            List<Callable<Object>> calls =
                    List.of(
                            () -> pair.one().read(ByteBuffer.allocate(1)),
                            () -> pair.one().read(ByteBuffer.allocateDirect(1)),
                            () -> pair.one().receive(ByteBuffer.allocate(LARGE)),
                            () ->
                                    pair.one()
                                            .read(
                                                    new ByteBuffer[] {
                                                        ByteBuffer.allocate(1),
                                                        ByteBuffer.allocate(1)
                                                    }));
            for (Callable<Object> call : calls) {
                pair.one().write(ByteBuffer.allocate(1));
                assertThat(Attempt.start(thread, call).failure())
                        .isExactlyInstanceOf(PortUnreachableException.class);
            }
            pair.one().write(ByteBuffer.allocate(1));
            assertThat(
                            Attempt.start(
                                            thread,
                                            () -> {
                                                while (true) {
                                                    pair.one().write(ByteBuffer.allocate(1));
                                                }
                                            })
                                    .failure())
                    .isExactlyInstanceOf(PortUnreachableException.class);
            // what is left of it does not concern a socket that is not connected
            pair.one().write(ByteBuffer.allocate(1));
            pair.one().disconnect();
            ByteBuffer src = ByteBuffer.allocate(3);
            assertThat(Attempt.start(thread, () -> pair.one().send(src, closed)).get())
                    .isEqualTo(3);
            assertThat(src.hasRemaining()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldRefuseWhatIsTooLarge(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.datagramPair();
                DatagramChannel sender = provider.datagram(INET)) {
            for (int length : new int[] {65_508, 1_000_000}) {
                ByteBuffer src = ByteBuffer.allocate(length);
                assertThat(Attempt.start(thread, () -> pair.one().write(src)).failure())
                        .isExactlyInstanceOf(IOException.class)
                        .hasMessage("Message too long");
                ByteBuffer[] row = {ByteBuffer.allocate(1), src};
                assertThat(Attempt.start(thread, () -> pair.one().write(row)).failure())
                        .isExactlyInstanceOf(IOException.class);
                assertThat(
                                Attempt.start(
                                                thread,
                                                () -> sender.send(src, sender.getLocalAddress()))
                                        .failure())
                        .isExactlyInstanceOf(SocketException.class)
                        .hasMessage("Message too long");
                assertThat(src.position()).isZero();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // closed before its end, on purpose
    void shouldRefuseWhatTheStateForbids(Provider provider) throws Exception {
        ByteBuffer buffer = ByteBuffer.allocate(1);
        try (DatagramChannel channel = provider.datagram();
                DatagramChannel four = provider.datagram(INET)) {
            SocketAddress six = new InetSocketAddress(InetAddress.ofLiteral("::1"), 1);
            assertThatThrownBy(() -> channel.read(buffer))
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(() -> channel.write(buffer))
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(() -> channel.read(new ByteBuffer[] {buffer}))
                    .isInstanceOf(NotYetConnectedException.class);
            assertThatThrownBy(() -> channel.send(buffer, null))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(
                            () -> channel.send(buffer, InetSocketAddress.createUnresolved("x", 1)))
                    .isInstanceOf(UnresolvedAddressException.class);
            assertThatThrownBy(() -> channel.send(buffer, UnixDomainSocketAddress.of("x")))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> four.send(buffer, six))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> four.connect(six))
                    .isInstanceOf(UnsupportedAddressTypeException.class);
            assertThatThrownBy(() -> channel.send(buffer, new InetSocketAddress(LOOPBACK, 0)))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Can't send to port 0");
            assertThatThrownBy(() -> channel.connect(new InetSocketAddress(LOOPBACK, 0)))
                    .isExactlyInstanceOf(SocketException.class)
                    .hasMessage("Can't connect to port 0");
            assertThatThrownBy(() -> four.bind(null)).isInstanceOf(AlreadyBoundException.class);
            SocketAddress peer = four.getLocalAddress();
            assertThat(channel.connect(peer)).isSameAs(channel);
            assertThat(channel.isConnected()).isTrue();
            assertThat(channel.getRemoteAddress()).isEqualTo(peer);
            assertThatThrownBy(() -> channel.connect(peer))
                    .isInstanceOf(AlreadyConnectedException.class);
            assertThatThrownBy(() -> channel.send(buffer, new InetSocketAddress(LOOPBACK, 1)))
                    .isInstanceOf(AlreadyConnectedException.class);
            assertThat(channel.send(buffer, peer)).isEqualTo(1);
            channel.close();
            assertThat(channel.isConnected()).isFalse();
            assertThatThrownBy(() -> channel.receive(buffer))
                    .isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> channel.send(buffer, peer))
                    .isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> channel.connect(peer))
                    .isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(channel::getLocalAddress).isInstanceOf(ClosedChannelException.class);
            assertThat(channel.disconnect()).isSameAs(channel);
        }
    }

    // ---- bind, connect, disconnect ----

    @ParameterizedTest
    @EnumSource
    void shouldBindWhatIsNotBoundWhenItIsUsed(Provider provider) throws Exception {
        try (DatagramChannel receiver = provider.datagram(INET);
                DatagramChannel sender = provider.datagram();
                DatagramChannel connected = provider.datagram()) {
            assertThat(sender.getLocalAddress()).isNull();
            sender.send(ByteBuffer.allocate(1), receiver.getLocalAddress());
            var local = (InetSocketAddress) sender.getLocalAddress();
            assertThat(local.getAddress().isAnyLocalAddress()).isTrue();
            assertThat(local.getPort()).isPositive();
            connected.connect(receiver.getLocalAddress());
            local = (InetSocketAddress) connected.getLocalAddress();
            assertThat(local.getAddress()).isEqualTo(LOOPBACK);
            assertThat(local.getAddress()).isInstanceOf(Inet4Address.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepItsPortWhenDisconnected(Provider provider) throws Exception {
        try (DatagramChannel peer = provider.datagram(INET);
                DatagramChannel channel = provider.datagram();
                DatagramChannel fixed = provider.datagram(INET)) {
            channel.bind(null);
            for (DatagramChannel each : List.of(channel, fixed)) {
                SocketAddress before = each.getLocalAddress();
                for (int i = 0; i < 3; i++) {
                    each.connect(peer.getLocalAddress());
                    assertThat(each.disconnect()).isSameAs(each);
                    assertThat(each.isConnected()).isFalse();
                    assertThat(each.getRemoteAddress()).isNull();
                    assertThat(each.getLocalAddress()).isEqualTo(before);
                }
                int port = ((InetSocketAddress) before).getPort();
                peer.send(ByteBuffer.allocate(1), new InetSocketAddress(LOOPBACK, port));
                assertThat(each.receive(ByteBuffer.allocate(1))).isEqualTo(peer.getLocalAddress());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepThePortThatConnectChose(Provider provider) throws Exception {
        try (DatagramChannel peer = provider.datagram(INET);
                DatagramChannel either = provider.datagram();
                DatagramChannel inet = provider.get().openDatagramChannel(INET)) {
            for (DatagramChannel each : List.of(either, inet)) {
                each.connect(peer.getLocalAddress());
                int port = ((InetSocketAddress) each.getLocalAddress()).getPort();
                each.disconnect();
                var local = (InetSocketAddress) each.getLocalAddress();
                assertThat(local.getAddress().isAnyLocalAddress()).isTrue();
                assertThat(local.getPort()).isEqualTo(port);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeBoundWhenItCouldNotConnect(Provider provider) throws Exception {
        try (DatagramChannel channel = provider.datagram()) {
            assertThatThrownBy(() -> channel.connect(new InetSocketAddress("255.255.255.255", 9)))
                    .isInstanceOf(SocketException.class);
            assertThat(channel.isConnected()).isFalse();
            assertThat(channel.getLocalAddress()).isNotNull();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReceiveFromThePeerAloneOnceConnected(Provider provider, ThreadKind thread)
            throws Exception {
        try (DatagramChannel channel = provider.datagram(INET);
                DatagramChannel peer = provider.datagram(INET);
                DatagramChannel stranger = provider.datagram(INET)) {
            SocketAddress address = channel.getLocalAddress();
            for (int i = 0; i < 5; i++) {
                stranger.send(ByteBuffer.allocate(1), address); // before: thrown away
            }
            Attempt.start(thread, () -> channel.connect(peer.getLocalAddress())).get();
            stranger.send(ByteBuffer.allocate(1), address);
            peer.send(ByteBuffer.allocate(9), address);
            assertThat(Attempt.start(thread, () -> channel.read(ByteBuffer.allocate(10))).get())
                    .isEqualTo(9);
        }
    }

    // ---- close and interrupt ----

    /** Calls that wait. */
    enum Call {
        RECEIVE,
        RECEIVE_LARGE,
        RECEIVE_DIRECT,
        RECEIVE_WITHOUT_ROOM,
        READ,
        READ_DIRECT,
        SCATTER;

        Object on(DatagramChannel channel) throws IOException {
            return switch (this) {
                case RECEIVE -> channel.receive(ByteBuffer.allocate(1));
                case RECEIVE_LARGE -> channel.receive(ByteBuffer.allocate(LARGE));
                case RECEIVE_DIRECT -> channel.receive(ByteBuffer.allocateDirect(1));
                case RECEIVE_WITHOUT_ROOM -> channel.receive(ByteBuffer.allocate(0));
                case READ -> channel.read(ByteBuffer.allocate(1));
                case READ_DIRECT -> channel.read(ByteBuffer.allocateDirect(1));
                case SCATTER ->
                        channel.read(
                                new ByteBuffer[] {ByteBuffer.allocate(1), ByteBuffer.allocate(1)});
            };
        }
    }

    static Stream<Arguments> callsAndThreads() {
        return Cases.providersAndThreads()
                .flatMap(first ->
                        Stream.of(Call.values())
                                .map(call -> Arguments.of(first.get()[0], first.get()[1], call)));
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldFailAWaitingCallWhenClosed(Provider provider, ThreadKind thread, Call call)
            throws Exception {
        for (ThreadKind closer : List.of(ThreadKind.PLATFORM, ThreadKind.FOREIGN)) {
            try (var pair = provider.datagramPair()) {
                var attempt = Attempt.start(thread, () -> call.on(pair.one())).awaitBlocked();
                Attempt.start(
                                closer,
                                () -> {
                                    pair.one().close();
                                    return null;
                                })
                        .get();
                assertThat(attempt.failure()).isExactlyInstanceOf(AsynchronousCloseException.class);
                assertThat(attempt.endedInterrupted()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("callsAndThreads")
    void shouldCloseAndFailAWaitingCallWhenInterrupted(
            Provider provider, ThreadKind thread, Call call) throws Exception {
        try (var pair = provider.datagramPair()) {
            var attempt = Attempt.start(thread, () -> call.on(pair.one())).awaitBlocked();
            attempt.thread().interrupt();
            assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
            assertThat(attempt.endedInterrupted()).isTrue();
            assertThat(pair.one().isOpen()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldCloseAndFailAtOnceWhenInterruptedBefore(Provider provider, ThreadKind thread)
            throws Exception {
        List<Attempt<?>> attempts = List.of();
        try (var pair = provider.datagramPair();
                var other = provider.datagramPair()) {
            attempts =
                    List.of(
                            Attempt.start(
                                    thread,
                                    () -> {
                                        Thread.currentThread().interrupt();
                                        return pair.one().receive(ByteBuffer.allocate(1));
                                    }),
                            Attempt.start(
                                    thread,
                                    () -> {
                                        Thread.currentThread().interrupt();
                                        return other.one().write(ByteBuffer.allocate(1));
                                    }));
            for (Attempt<?> attempt : attempts) {
                assertThat(attempt.failure()).isExactlyInstanceOf(ClosedByInterruptException.class);
                assertThat(attempt.endedInterrupted()).isTrue();
            }
            assertThat(pair.one().isOpen() || other.one().isOpen()).isFalse();
        }
    }

    @Test
    void shouldCloseTheDescriptorOfAChannelThatWasDropped() throws Exception {
        long before = UdpSocket.areas();
        Descriptors.expectDroppedSocketsToBeClosed(DatagramChannelTest::drop);
        Attempt.eventually("freed", () -> UdpSocket.areas() <= before);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFreeItsMemoryWhenClosedAndNobodyWaits(ThreadKind thread) throws Exception {
        long before = UdpSocket.areas();
        for (int i = 0; i < 20; i++) {
            DatagramChannel channel = Provider.OURS.datagram(INET);
            var attempt =
                    Attempt.start(thread, () -> channel.receive(ByteBuffer.allocate(1)))
                            .awaitBlocked();
            channel.close();
            channel.close();
            assertThat(attempt.failure()).isInstanceOf(AsynchronousCloseException.class);
        }
        Attempt.eventually("freed", () -> UdpSocket.areas() <= before);
    }

    @SuppressWarnings("resource") // is what it is about
    private static void drop() throws IOException {
        for (int i = 0; i < 10; i++) {
            Provider.OURS.datagramPair().one().socket().setSoTimeout(1);
            Provider.OURS
                    .datagramSocket()
                    .send(
                            new java.net.DatagramPacket(
                                    new byte[1], 1, new InetSocketAddress(LOOPBACK, 9)));
        }
    }

    // ---- non-blocking mode and selectors ----

    @ParameterizedTest
    @EnumSource
    void shouldNeverWaitInNonBlockingMode(Provider provider) throws Exception {
        try (var pair = provider.datagramPair();
                Selector selector = provider.get().openSelector()) {
            pair.one().configureBlocking(false);
            for (ByteBuffer dst :
                    new ByteBuffer[] {ByteBuffer.allocate(9), ByteBuffer.allocateDirect(9)}) {
                assertThat(pair.one().receive(dst)).isNull();
                assertThat(pair.one().read(dst)).isZero();
                assertThat(pair.one().read(new ByteBuffer[] {dst, dst})).isZero();
            }
            SelectionKey key =
                    pair.one().register(selector, SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            assertThat(selector.select()).isEqualTo(1);
            assertThat(key.readyOps()).isEqualTo(SelectionKey.OP_WRITE);
            key.interestOps(SelectionKey.OP_READ);
            selector.selectedKeys().clear();
            assertThat(selector.selectNow()).isZero();
            for (ByteBuffer dst :
                    new ByteBuffer[] {ByteBuffer.allocate(9), ByteBuffer.allocateDirect(9)}) {
                pair.other().write(ByteBuffer.wrap(bytes(5)));
                assertThat(selector.select()).isEqualTo(1);
                assertThat(key.isReadable()).isTrue();
                assertThat(pair.one().receive(dst)).isEqualTo(pair.other().getLocalAddress());
                assertThat(content(dst, 0)).isEqualTo(bytes(5));
                selector.selectedKeys().clear();
            }
            assertThat(pair.one().write(ByteBuffer.allocate(4))).isEqualTo(4);
            assertThat(
                            pair.one()
                                    .write(
                                            new ByteBuffer[] {
                                                ByteBuffer.allocate(1), ByteBuffer.allocate(2)
                                            }))
                    .isEqualTo(3);
            assertThat(pair.other().read(ByteBuffer.allocate(9))).isEqualTo(4);
            assertThat(pair.other().read(ByteBuffer.allocate(9))).isEqualTo(3);
            pair.one().close();
            assertThat(key.isValid()).isFalse();
            assertThat(selector.selectNow()).isZero();
        }
    }

    // ---- options ----

    @ParameterizedTest
    @EnumSource(names = {"INET", "INET6"})
    void shouldHaveTheOptionsAndDefaultsOfTheJdk(StandardProtocolFamily family) throws Exception {
        try (DatagramChannel ours = Provider.OURS.get().openDatagramChannel(family);
                DatagramChannel theirs = Provider.JDK.get().openDatagramChannel(family)) {
            assertThat(ours.supportedOptions()).isEqualTo(theirs.supportedOptions());
            assertThat(values(ours)).isEqualTo(values(theirs));
            ours.bind(null);
            theirs.bind(null);
            assertThat(values(ours)).isEqualTo(values(theirs));
        }
    }

    private static Map<String, String> values(DatagramChannel channel) throws IOException {
        var values = new TreeMap<String, String>();
        for (SocketOption<?> option : channel.supportedOptions()) {
            String value;
            try {
                value = String.valueOf(channel.getOption(option));
            } catch (IOException | RuntimeException e) {
                value = e.toString();
            }
            values.put(option.name(), value);
        }
        return values;
    }

    static Stream<Arguments> providersAndFamilies() {
        return Stream.of(Provider.values())
                .flatMap(provider ->
                        Stream.of(INET, INET6).map(family -> Arguments.of(provider, family)));
    }

    @ParameterizedTest
    @MethodSource("providersAndFamilies")
    void shouldKeepWhatIsSet(Provider provider, StandardProtocolFamily family) throws Exception {
        NetworkInterface loopback = NetworkInterface.getByInetAddress(LOOPBACK);
        try (DatagramChannel channel = provider.get().openDatagramChannel(family)) {
            assertThat(channel.setOption(StandardSocketOptions.SO_BROADCAST, true))
                    .isSameAs(channel);
            assertKept(channel, StandardSocketOptions.SO_BROADCAST, true);
            assertKept(channel, StandardSocketOptions.SO_REUSEADDR, true);
            assertKept(channel, StandardSocketOptions.SO_REUSEPORT, true);
            assertKept(channel, StandardSocketOptions.IP_TOS, 0x10);
            assertKept(channel, StandardSocketOptions.IP_MULTICAST_TTL, 7);
            assertKept(channel, StandardSocketOptions.IP_MULTICAST_LOOP, false);
            assertKept(channel, StandardSocketOptions.IP_MULTICAST_IF, loopback);
            assertKept(channel, ExtendedSocketOptions.IP_DONTFRAGMENT, true);
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.TCP_NODELAY, true))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("'TCP_NODELAY' not supported");
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.IP_MULTICAST_IF, null))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 256))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static <T> void assertKept(DatagramChannel channel, SocketOption<T> option, T value)
            throws IOException {
        channel.setOption(option, value);
        assertThat(channel.getOption(option)).as(option.name()).isEqualTo(value);
    }

    // ---- groups ----

    /** An interface that multicast datagrams of both protocols can leave and come back by. */
    private static NetworkInterface multicastInterface(boolean ipv6) throws SocketException {
        NetworkInterface found =
                NetworkInterface.networkInterfaces()
                        .filter(interf -> {
                            try {
                                return interf.isUp()
                                        && interf.supportsMulticast()
                                        && interf.inetAddresses()
                                                .anyMatch(a -> a instanceof Inet4Address != ipv6);
                            } catch (SocketException e) {
                                return false;
                            }
                        })
                        .findFirst()
                        .orElse(null);
        Assumptions.assumeTrue(found != null, "no interface here supports multicast");
        return found;
    }

    @ParameterizedTest
    @MethodSource("providersAndFamilies")
    @SuppressWarnings("try") // closed before its end, on purpose
    void shouldReceiveWhatIsSentToAGroup(Provider provider, StandardProtocolFamily family)
            throws Exception {
        boolean ipv6 = family == INET6;
        NetworkInterface interf = multicastInterface(ipv6);
        InetAddress group = InetAddress.ofLiteral(ipv6 ? "ff02::4f4c" : "225.4.5.6");
        try (DatagramChannel receiver = provider.get().openDatagramChannel(family);
                DatagramChannel sender = provider.get().openDatagramChannel(family)) {
            receiver.bind(null);
            int port = ((InetSocketAddress) receiver.getLocalAddress()).getPort();
            var target = new InetSocketAddress(group, port);
            sender.setOption(StandardSocketOptions.IP_MULTICAST_IF, interf);
            MembershipKey key = receiver.join(group, interf);
            assertThat(receiver.join(group, interf)).isSameAs(key);
            assertThat(key.isValid()).isTrue();
            assertThat(key.channel()).isSameAs(receiver);
            assertThat(key.group()).isEqualTo(group);
            assertThat(key.networkInterface()).isEqualTo(interf);
            assertThat(key.sourceAddress()).isNull();

            sender.send(ByteBuffer.wrap(bytes(9)), target);
            ByteBuffer dst = ByteBuffer.allocate(10);
            var from =
                    (InetSocketAddress)
                            Attempt.start(ThreadKind.VIRTUAL, () -> receiver.receive(dst)).get();
            assertThat(content(dst, 0)).isEqualTo(bytes(9));

            InetAddress source = from.getAddress();
            assertThatThrownBy(() -> receiver.join(group, interf, source))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> key.unblock(source))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("not blocked");
            assertThat(key.block(source)).isSameAs(key);
            receiver.configureBlocking(false);
            sender.send(ByteBuffer.wrap(bytes(9)), target);
            assertThat(key.unblock(source)).isSameAs(key);
            receiver.configureBlocking(true);
            sender.send(ByteBuffer.wrap(bytes(3)), target);
            receiver.receive(dst.clear());
            assertThat(dst.position()).isEqualTo(3);

            key.drop();
            key.drop();
            assertThat(key.isValid()).isFalse();
            assertThatThrownBy(() -> key.block(source))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("key is no longer valid");
            MembershipKey specific = receiver.join(group, interf, source);
            assertThat(specific.sourceAddress()).isEqualTo(source);
            assertThatThrownBy(() -> receiver.join(group, interf))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> specific.block(source))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("key is source-specific");
            sender.send(ByteBuffer.wrap(bytes(4)), target);
            receiver.receive(dst.clear());
            assertThat(dst.position()).isEqualTo(4);
            receiver.close();
            assertThat(specific.isValid()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // closed before its end, on purpose
    void shouldRefuseGroupsThatAreNone(Provider provider) throws Exception {
        NetworkInterface loopback = NetworkInterface.getByInetAddress(LOOPBACK);
        InetAddress group = InetAddress.ofLiteral("225.4.5.6");
        InetAddress six = InetAddress.ofLiteral("ff02::4f4c");
        try (DatagramChannel channel = provider.datagram(INET)) {
            assertThatThrownBy(() -> channel.join(LOOPBACK, loopback))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Group not a multicast address");
            assertThatThrownBy(() -> channel.join(six, loopback))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Only IPv6 sockets can join IPv6 multicast group");
            assertThatThrownBy(() -> channel.join(group, loopback, null))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> channel.join(group, loopback, group))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Source address is multicast address");
            assertThatThrownBy(
                            () -> channel.join(group, loopback, InetAddress.ofLiteral("0.0.0.0")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Source address is a wildcard address");
            assertThatThrownBy(() -> channel.join(group, loopback, InetAddress.ofLiteral("::1")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Source address is different type to group");
            channel.close();
            assertThatThrownBy(() -> channel.join(group, loopback))
                    .isInstanceOf(ClosedChannelException.class);
        }
    }
}
