package io.loomuring.ring;

import static io.loomuring.abi.SocketAbi.*;
import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.testing.Libc;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Each kind of operation does what its name says: its arguments reach the kernel. */
class RingOperationsTest {
    private static final int SOCKADDR_IN_LENGTH = SIZEOF_SOCKADDR_IN;
    private static final int LOOPBACK = 0x0100007f; // 127.0.0.1 in network byte order

    private final Arena arena = Arena.ofShared();
    private RingFixture fixture;
    private SocketPair pair;

    @BeforeEach
    void open() throws RingException {
        fixture = new RingFixture(8, 16, SetupFlags.COOPERATIVE);
        pair = SocketPair.open();
    }

    @AfterEach
    void close() {
        pair.close();
        fixture.close();
        arena.close();
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String text(MemorySegment bytes, int length) {
        return new String(
                bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
    }

    private String peerReceives(int length) {
        return new String(pair.peerReceives(length), StandardCharsets.US_ASCII);
    }

    @Test
    void shouldReceive() {
        MemorySegment memory = arena.allocate(8);
        pair.peerSends((byte) 'h', (byte) 'i');
        Op op = claimedOp();
        op.prepRecv(pair.fd(), memory.address(), 8, 0);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(2);
        assertThat(text(memory, 2)).isEqualTo("hi");
    }

    @Test
    void shouldReceiveWithFlags() {
        Op op = claimedOp();
        op.prepRecv(pair.fd(), arena.allocate(8).address(), 8, MSG_DONTWAIT);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(-Errno.EAGAIN);
    }

    @Test
    void shouldSend() {
        Op op = claimedOp();
        op.prepSend(pair.fd(), bytes("hello").address(), 4, MSG_NOSIGNAL);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(4);
        assertThat(peerReceives(4)).isEqualTo("hell");
    }

    private MemorySegment message(MemorySegment... parts) {
        MemorySegment vector = arena.allocate((long) parts.length * SIZEOF_IOVEC, 8);
        for (int i = 0; i < parts.length; i++) {
            long part = vector.address() + (long) i * SIZEOF_IOVEC;
            Memory.putLong(part + IOVEC_BASE, parts[i].address());
            Memory.putLong(part + IOVEC_LEN, parts[i].byteSize());
        }
        MemorySegment message = arena.allocate(SIZEOF_MSGHDR, 8);
        Memory.putLong(message.address() + MSGHDR_IOV, vector.address());
        Memory.putLong(message.address() + MSGHDR_IOVLEN, parts.length);
        return message;
    }

    @Test
    void shouldGather() {
        Op op = claimedOp();
        op.prepSendmsg(pair.fd(), message(bytes("hel"), bytes("lo")).address(), MSG_NOSIGNAL);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(5);
        assertThat(peerReceives(5)).isEqualTo("hello");
    }

    @Test
    void shouldScatter() {
        MemorySegment first = arena.allocate(2);
        MemorySegment second = arena.allocate(8);
        pair.peerSends("hello".getBytes(StandardCharsets.US_ASCII));
        Op op = claimedOp();
        op.prepRecvmsg(pair.fd(), message(first, second).address(), 0);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(5);
        assertThat(text(first, 2) + "|" + text(second, 3)).isEqualTo("he|llo");
    }

    @Test
    void shouldPollForTheEventsGiven() {
        Op op = claimedOp();
        op.prepPollAdd(pair.fd(), POLLOUT);
        assertThat(fixture.submitAndAwait(op)).isEqualTo(POLLOUT);
    }

    @Test
    void shouldPollUntilDataArrives() {
        Op op = claimedOp();
        op.prepPollAdd(pair.fd(), POLLIN);
        fixture.ring.submit(op);
        fixture.ring.enter(0);
        assertThat(op.inFlight()).isTrue();
        pair.peerSends((byte) 1);
        assertThat(fixture.await(op)).isEqualTo(POLLIN);
    }

    @Test
    void shouldConnectAndAccept() {
        int listener = Libc.socket(AF_INET, Libc.SOCK_STREAM | SOCK_CLOEXEC, 0);
        long name = sockaddr();
        Libc.bind(listener, name, SOCKADDR_IN_LENGTH);
        Libc.listen(listener, 1);
        long length = arena.allocate(Integer.BYTES, Integer.BYTES).address();
        Memory.putInt(length, SOCKADDR_IN_LENGTH);
        Libc.getsockname(listener, name, length);

        long peer = arena.allocate(SIZEOF_SOCKADDR_STORAGE, 8).address();
        Memory.putInt(length, SIZEOF_SOCKADDR_STORAGE);
        Op accept = claimedOp();
        accept.prepAccept(listener, peer, length, SOCK_CLOEXEC);
        fixture.ring.submit(accept);

        int client = Libc.socket(AF_INET, Libc.SOCK_STREAM | SOCK_CLOEXEC, 0);
        Op connect = claimedOp();
        connect.prepConnect(client, name, SOCKADDR_IN_LENGTH);
        assertThat(fixture.submitAndAwait(connect)).isZero();

        int accepted = fixture.await(accept);
        assertThat(accepted).isPositive();
        assertThat(Memory.getInt(length)).isEqualTo(SOCKADDR_IN_LENGTH);
        assertThat(Memory.getShort(peer)).isEqualTo((short) AF_INET);
        assertThat(Memory.getInt(peer + SOCKADDR_IN_ADDR)).isEqualTo(LOOPBACK);
        Shim.close(accepted);
        Shim.close(client);
        Shim.close(listener);
    }

    private long sockaddr() {
        long name = arena.allocate(SIZEOF_SOCKADDR_STORAGE, 8).address();
        Memory.putShort(name, (short) AF_INET);
        Memory.putInt(name + SOCKADDR_IN_ADDR, LOOPBACK);
        return name;
    }
}
