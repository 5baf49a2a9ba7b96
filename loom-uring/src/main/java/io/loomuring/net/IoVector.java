package io.loomuring.net;

import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.SunNet;

import java.nio.ByteBuffer;

/**
 * A {@code struct msghdr} over a row of buffers, built in a block of {@link Scratch}:
 *
 * <pre>
 *     0         HEADER    64            IOV     64 + 16 KiB      BOUNCE         64 KiB
 *     | struct msghdr |   | struct iovec[IOV_MAX] | content of the heap buffers |
 * </pre>
 *
 * Direct buffers are the kernel's own target; heap buffers go through the bounce area, and the row
 * ends where that is full. Empty buffers take no part. {@code begin...} fills the block and keeps
 * the buffers' memory, {@code end...} moves their positions and gives it back; both go through the
 * same buffers in the same way, so nothing has to be remembered but where the row ended.
 */
final class IoVector {
    private IoVector() {}

    private static final int HEADER = 0;
    private static final int IOV = 64;
    private static final int BOUNCE = IOV + IOV_MAX * SIZEOF_IOVEC;

    static {
        assert SIZEOF_MSGHDR <= IOV && BOUNCE < Scratch.SIZE;
    }

    static long header(Scratch scratch) {
        return scratch.address + HEADER;
    }

    /** Index of the first buffer in {@code [from, to)} that has something remaining, or to. */
    static int skipEmpty(ByteBuffer[] buffers, int from, int to) {
        int i = from;
        while (i < to && !buffers[i].hasRemaining()) {
            i++;
        }
        return i;
    }

    /** Prepares to receive into {@code [from, to)}; returns where the row ends. */
    static int beginRead(Scratch scratch, ByteBuffer[] dsts, int from, int to) {
        return begin(scratch, dsts, from, to, false);
    }

    /** Prepares to send what remains in {@code [from, to)}; returns where the row ends. */
    static int beginWrite(Scratch scratch, ByteBuffer[] srcs, int from, int to) {
        return begin(scratch, srcs, from, to, true);
    }

    private static int begin(
            Scratch scratch, ByteBuffer[] buffers, int from, int to, boolean copy) {
        int bounce = BOUNCE;
        int vectors = 0;
        int i = from;
        try {
            while (i < to && vectors < IOV_MAX && bounce < Scratch.SIZE) {
                ByteBuffer buffer = buffers[i];
                int length = buffer.remaining();
                long base;
                if (buffer.isDirect()) {
                    base = SunNet.acquire(buffer) + buffer.position();
                } else {
                    base = scratch.address + bounce;
                    length = Math.min(length, Scratch.SIZE - bounce);
                    if (copy) {
                        scratch.buffer.put(bounce, buffer, buffer.position(), length);
                    }
                    bounce += length;
                }
                i++;
                if (length > 0) {
                    long iovec = scratch.address + IOV + (long) vectors * SIZEOF_IOVEC;
                    Memory.putLong(iovec + IOVEC_BASE, base);
                    Memory.putLong(iovec + IOVEC_LEN, length);
                    vectors++;
                }
            }
        } catch (RuntimeException e) { // the arena of buffers[i] is closed
            release(buffers, from, i);
            throw e;
        }
        long header = header(scratch);
        for (int offset = 0; offset < SIZEOF_MSGHDR; offset += Long.BYTES) {
            Memory.putLong(header + offset, 0);
        }
        Memory.putLong(header + MSGHDR_IOV, scratch.address + IOV);
        Memory.putLong(header + MSGHDR_IOVLEN, vectors);
        return i;
    }

    /** Takes {@code n} received bytes into {@code [from, end)}; none if it is not positive. */
    static void endRead(Scratch scratch, ByteBuffer[] dsts, int from, int end, int n) {
        end(scratch, dsts, from, end, n, true);
    }

    /** Counts {@code n} sent bytes of {@code [from, end)}; none if it is not positive. */
    static void endWrite(Scratch scratch, ByteBuffer[] srcs, int from, int end, int n) {
        end(scratch, srcs, from, end, n, false);
    }

    private static void end(
            Scratch scratch, ByteBuffer[] buffers, int from, int end, int n, boolean copy) {
        int bounce = BOUNCE;
        int left = n;
        try {
            for (int i = from; i < end && left > 0; i++) {
                ByteBuffer buffer = buffers[i];
                int position = buffer.position();
                int length = buffer.remaining();
                boolean bounced = !buffer.isDirect();
                if (bounced) {
                    length = Math.min(length, Scratch.SIZE - bounce);
                }
                int taken = Math.min(length, left);
                if (bounced && copy) {
                    buffer.put(position, scratch.buffer, bounce, taken);
                }
                buffer.position(position + taken);
                left -= taken;
                if (bounced) {
                    bounce += length;
                }
            }
        } finally {
            release(buffers, from, end);
        }
    }

    private static void release(ByteBuffer[] buffers, int from, int end) {
        for (int i = from; i < end; i++) {
            if (buffers[i].isDirect()) {
                SunNet.release(buffers[i]);
            }
        }
    }
}
