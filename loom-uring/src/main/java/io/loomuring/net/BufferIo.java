package io.loomuring.net;

import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.SunNet;

import java.nio.ByteBuffer;

/**
 * Reads and writes of buffers by system calls that don't wait, of sockets and pipes alike; the
 * caller brings the call.
 *
 * <p>Each returns what the call does, {@code >= 0} or {@code -errno}, and has moved the buffers'
 * positions by it. A direct buffer is the kernel's own target; heap buffers go through a block of
 * {@link Scratch} that is held for the time of the call.
 */
final class BufferIo {
    private BufferIo() {}

    /** {@code read(2)}, {@code write(2)} or their like. */
    @FunctionalInterface
    interface Call {
        int on(Endpoint endpoint, long address, int length);
    }

    /** {@code readv(2)}, {@code writev(2)} or their like. */
    @FunctionalInterface
    interface RowCall {
        /** {@code msghdr} is the address of a {@code struct msghdr} with the row filled in. */
        int on(Endpoint endpoint, long msghdr);
    }

    static void checkWritable(ByteBuffer dst) {
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
    }

    static int read(Call read, Endpoint endpoint, ByteBuffer dst) {
        int length = dst.remaining();
        int position = dst.position();
        int n;
        if (dst.isDirect()) {
            n = direct(read, endpoint, dst, position, length);
        } else {
            Scratch scratch = Scratch.take();
            try {
                n = read.on(endpoint, scratch.address, Math.min(length, Scratch.SIZE));
                if (n > 0) {
                    dst.put(position, scratch.buffer, 0, n);
                }
            } finally {
                scratch.release();
            }
        }
        if (n > 0) {
            dst.position(position + n);
        }
        return n;
    }

    /** As much as the descriptor takes; an error after that comes next time. */
    static int write(Call write, Endpoint endpoint, ByteBuffer src) {
        int length = src.remaining();
        int position = src.position();
        int n =
                src.isDirect()
                        ? direct(write, endpoint, src, position, length)
                        : copied(write, endpoint, src, position, length);
        if (n > 0) {
            src.position(position + n);
        }
        return n;
    }

    private static int direct(
            Call call, Endpoint endpoint, ByteBuffer buffer, int position, int length) {
        long address = SunNet.acquire(buffer);
        try {
            return call.on(endpoint, address + position, length);
        } finally {
            SunNet.release(buffer);
        }
    }

    private static int copied(
            Call write, Endpoint endpoint, ByteBuffer src, int position, int length) {
        Scratch scratch = Scratch.take();
        try {
            int written = 0;
            while (written < length) {
                int chunk = Math.min(length - written, Scratch.SIZE);
                scratch.buffer.put(0, src, position + written, chunk);
                int n = write.on(endpoint, scratch.address, chunk);
                if (n <= 0) {
                    return written > 0 ? written : n;
                }
                written += n;
                if (n < chunk) {
                    break;
                }
            }
            return written;
        } finally {
            scratch.release();
        }
    }

    /** Reads into {@code [from, to)} once. */
    static int readRow(RowCall readv, Endpoint endpoint, ByteBuffer[] dsts, int from, int to) {
        Scratch scratch = Scratch.take();
        try {
            int end = IoVector.beginRead(scratch, dsts, from, to);
            int n = 0;
            try {
                n = readv.on(endpoint, IoVector.header(scratch));
            } finally {
                IoVector.endRead(scratch, dsts, from, end, n);
            }
            return n;
        } finally {
            scratch.release();
        }
    }

    /** Writes what remains in {@code [from, to)} once, which may not be all. */
    static int writeRow(RowCall writev, Endpoint endpoint, ByteBuffer[] srcs, int from, int to) {
        Scratch scratch = Scratch.take();
        try {
            int end = IoVector.beginWrite(scratch, srcs, from, to);
            int n = 0;
            try {
                n = writev.on(endpoint, IoVector.header(scratch));
            } finally {
                IoVector.endWrite(scratch, srcs, from, end, n);
            }
            return n;
        } finally {
            scratch.release();
        }
    }
}
