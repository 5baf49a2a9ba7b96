package io.loomuring.testing;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.abi.SocketAbi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Two connected stream sockets: one for what is tested, and its peer, which blocks its thread.
 *
 * @param fd under test
 * @param peer the other end
 */
public record SocketPair(int fd, int peer) implements AutoCloseable {

    public static SocketPair open() {
        int[] fds = new int[2];
        Libc.socketpair(SocketAbi.AF_UNIX, Libc.SOCK_STREAM | SocketAbi.SOCK_CLOEXEC, 0, fds);
        return new SocketPair(fds[0], fds[1]);
    }

    /** Sends some bytes, all at once. */
    public void peerSends(byte... bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            int sent = Shim.send(peer, memory.address(), bytes.length, SocketAbi.MSG_NOSIGNAL);
            if (sent != bytes.length) {
                throw new AssertionError("sent " + sent + " of " + bytes.length + " bytes");
            }
        }
    }

    /** Sends a number in native byte order. */
    public void peerSendsLong(long number) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Long.BYTES);
            Memory.putLong(memory.address(), number);
            int sent = Shim.send(peer, memory.address(), Long.BYTES, SocketAbi.MSG_NOSIGNAL);
            if (sent != Long.BYTES) {
                throw new AssertionError("sent " + sent + " bytes of a long");
            }
        }
    }

    /** Waits for that many bytes. */
    public byte[] peerReceives(int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(length);
            int received = Shim.recv(peer, memory.address(), length, SocketAbi.MSG_WAITALL);
            if (received != length) {
                throw new AssertionError("received " + received + " of " + length + " bytes");
            }
            return memory.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Takes what has arrived at {@link #fd} and nobody has read; returns how many bytes. */
    public int drain() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4096);
            int all = 0;
            while (true) {
                int n = Shim.recv(fd, memory.address(), 4096, SocketAbi.MSG_DONTWAIT);
                if (n == 0 || n == -Errno.EAGAIN) {
                    return all;
                }
                all += n;
            }
        }
    }

    /** Ends the stream: the reader finds its end. */
    public void peerShutsDown() {
        Libc.shutdown(peer, Libc.SHUT_WR);
    }

    /** Closes both. */
    @Override
    public void close() {
        Shim.close(fd);
        Shim.close(peer);
    }
}
