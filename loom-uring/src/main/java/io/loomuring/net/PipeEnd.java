package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;

import java.io.FileDescriptor;
import java.io.IOException;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Set;

/**
 * One end of a pipe: the blocking logic behind both kinds of channel, as {@link StreamSocket} is
 * for connections. An end has one direction, and belongs to the thread that claimed its {@code Op}.
 *
 * <p>The descriptor is always in the kernel's non-blocking mode: a call does what it can, and waits
 * for readiness if that is nothing. No kernel from 6.1 on then reads or writes a pipe on a worker
 * thread of io_uring, and who waits holds no memory.
 */
final class PipeEnd extends Endpoint {
    private static final int EOF = -1;

    private static final BufferIo.Call READ =
            (pipe, address, length) -> Shim.read(pipe.fdVal, address, length);
    private static final BufferIo.Call WRITE =
            (pipe, address, length) -> Shim.write(pipe.fdVal, address, length);
    private static final BufferIo.RowCall READV =
            (pipe, msghdr) -> Shim.readv(pipe.fdVal, iov(msghdr), iovlen(msghdr));
    private static final BufferIo.RowCall WRITEV =
            (pipe, msghdr) -> Shim.writev(pipe.fdVal, iov(msghdr), iovlen(msghdr));

    private static long iov(long msghdr) {
        return Memory.getLong(msghdr + MSGHDR_IOV);
    }

    private static int iovlen(long msghdr) {
        return (int) Memory.getLong(msghdr + MSGHDR_IOVLEN);
    }

    /** {@code fd} is in non-blocking mode. */
    PipeEnd(Host host, FileDescriptor fd) {
        super(1, host, null, fd);
    }

    @Override
    Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }

    // ---- read ----

    /** As {@code Pipe.SourceChannel.read}. */
    int read(ByteBuffer dst) throws IOException {
        Objects.requireNonNull(dst);
        claim(readOp);
        try {
            begin();
            BufferIo.checkWritable(dst);
            if (!dst.hasRemaining()) {
                return 0;
            }
            int n;
            do {
                n = BufferIo.read(READ, this, dst);
            } while (isToBeTriedAgain(n) && (n = await(POLLIN)) > 0);
            return endRead(n);
        } finally {
            release(readOp);
        }
    }

    /** As {@code Pipe.SourceChannel.read}. */
    long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, dsts.length);
        claim(readOp);
        try {
            begin();
            int to = offset + length;
            for (int i = offset; i < to; i++) {
                BufferIo.checkWritable(dsts[i]);
            }
            int from = IoVector.skipEmpty(dsts, offset, to);
            if (from == to) {
                return 0;
            }
            int n;
            do {
                n = BufferIo.readRow(READV, this, dsts, from, to);
            } while (isToBeTriedAgain(n) && (n = await(POLLIN)) > 0);
            return endRead(n);
        } finally {
            release(readOp);
        }
    }

    private int endRead(int n) throws IOException {
        if (blocking) {
            checkInterrupt();
        }
        if (n > 0) {
            return n;
        }
        failIfEnded();
        return n == 0 ? EOF : nothing(n);
    }

    // ---- write ----

    /** As {@code Pipe.SinkChannel.write}; in blocking mode all that remains is written. */
    int write(ByteBuffer src) throws IOException {
        Objects.requireNonNull(src);
        claim(writeOp);
        try {
            begin();
            int written = 0;
            int n = 0;
            while (src.hasRemaining() && n >= 0) {
                n = BufferIo.write(WRITE, this, src);
                written += Math.max(0, n);
                n = awaitRoom(n, src.hasRemaining());
            }
            return (int) endWrite(written, n, !src.hasRemaining());
        } finally {
            release(writeOp);
        }
    }

    /** As {@code Pipe.SinkChannel.write}; in blocking mode all that remains is written. */
    long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, srcs.length);
        claim(writeOp);
        try {
            begin();
            int to = offset + length;
            int from = IoVector.skipEmpty(srcs, offset, to);
            long written = 0;
            int n = 0;
            while (from < to && n >= 0) {
                n = BufferIo.writeRow(WRITEV, this, srcs, from, to);
                written += Math.max(0, n);
                from = IoVector.skipEmpty(srcs, from, to);
                n = awaitRoom(n, from < to);
            }
            return endWrite(written, n, from == to);
        } finally {
            release(writeOp);
        }
    }

    /** After a write that returned {@code n}: waits if there is more and no room for it. */
    private int awaitRoom(int n, boolean more) {
        boolean full = more && (n > 0 || isToBeTriedAgain(n));
        return full && blocking ? await(POLLOUT) : n;
    }

    /** A write that was cut short by close fails like one that did not begin, as of a socket. */
    private long endWrite(long written, int n, boolean all) throws IOException {
        if (blocking) {
            checkInterrupt();
        }
        if (all) {
            return written;
        }
        failIfEnded();
        return written > 0 ? written : nothing(n);
    }

    // ---- both ----

    private void begin() throws IOException {
        ensureOpen();
        if (blocking) {
            checkInterrupt();
        }
    }

    private boolean isToBeTriedAgain(int n) {
        return blocking && (n == -EAGAIN || n == -EINTR);
    }

    /** The events that came, or {@code -errno}. */
    private int await(int events) {
        return CarrierIo.poll(readOp, fdVal, events, NO_TIMEOUT);
    }

    private void failIfEnded() throws IOException {
        if (blocking) {
            checkEnded(readOp);
        }
    }

    /** What a call returns that transferred nothing because of {@code n}, or its exception. */
    private static int nothing(int n) throws IOException {
        if (n == -EAGAIN || n == -EINTR) {
            return 0;
        }
        throw IoExceptions.io(n);
    }

    /** Waits for a read or write under way to end. */
    void configureBlocking(boolean block) throws IOException {
        claim(readOp);
        try {
            ensureOpen();
            blocking = block;
        } finally {
            release(readOp);
        }
    }
}
