package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.abi.TlsMessage;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.FileTransfers;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.FileChannel;
import java.util.Objects;

/**
 * A stream socket: the only copy of the blocking stream logic, behind channels and sockets alike.
 *
 * <p>A direction belongs to the thread that claimed its {@code Op} (see {@link FdLife}). A blocking
 * call hands the operation to {@link CarrierIo} and waits; who ended it early, if anybody, is found
 * out afterwards, in this order: an interrupt, a close, a half-close, a deadline, the kernel's
 * error. In non-blocking mode each call is one system call, which never waits.
 *
 * <p>A direct buffer is the kernel's target itself. What arrives for a heap buffer waits in the
 * carrier's buffers: a reader that waits holds no memory, and neither does a row of buffers.
 */
final class StreamSocket extends Connection {
    static final int EOF = -1;

    private static final int BLOCKING_SEND = MSG_WAITALL | MSG_NOSIGNAL;
    private static final int SEND_NOW = MSG_DONTWAIT | MSG_NOSIGNAL;

    private static final BufferIo.Call RECV =
            (socket, address, length) -> Shim.recv(socket.fdVal, address, length, MSG_DONTWAIT);
    private static final BufferIo.Call SEND =
            (socket, address, length) -> Shim.send(socket.fdVal, address, length, SEND_NOW);
    private static final BufferIo.RowCall RECVMSG =
            (socket, msghdr) ->
                    socket.blocking
                            ? CarrierIo.recvmsg(
                                    socket.readOp, socket.fdVal, msghdr, MSG_DONTWAIT, NO_TIMEOUT)
                            : Shim.recvmsg(socket.fdVal, msghdr, MSG_DONTWAIT);
    private static final BufferIo.RowCall SENDMSG =
            (socket, msghdr) ->
                    socket.blocking
                            ? CarrierIo.sendmsg(socket.writeOp, socket.fdVal, msghdr, SEND_NOW)
                            : Shim.sendmsg(socket.fdVal, msghdr, SEND_NOW);

    /** What is sent of a file before others get the carrier. */
    private static final int FILE_CHUNK_MAX = 1 << 20;

    private boolean connectionReset; // by readOp's claimer

    /** A new socket. */
    StreamSocket(Host host, ProtocolFamily family) throws IOException {
        super(host, family);
    }

    /** An accepted connection. */
    StreamSocket(Host host, ProtocolFamily family, ListeningSocket.Accepted accepted) {
        super(host, family, accepted);
    }

    // ---- read ----

    /** As {@code SocketChannel.read}. */
    int read(ByteBuffer dst) throws IOException {
        Objects.requireNonNull(dst);
        claim(readOp);
        try {
            ensureConnected();
            return blocking ? readWaiting(dst) : readNow(dst);
        } finally {
            release(readOp);
        }
    }

    /**
     * Reads into an array, in blocking mode only.
     *
     * @param timeoutNanos 0 for none
     * @throws java.net.SocketTimeoutException if it elapses
     */
    int read(byte[] bytes, int offset, int length, long timeoutNanos) throws IOException {
        int n = receive(bytes, offset, length, timeoutNanos, false);
        assert n > 0 || n == EOF || length == 0 : n;
        return n;
    }

    /**
     * As {@link #read}, or the {@code -errno} of a record, of a connection whose TLS is the
     * kernel's.
     */
    private int receive(
            byte[] bytes, int offset, int length, long timeoutNanos, boolean ofKernelTls)
            throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        long remainingNanos = claim(readOp, timeoutNanos);
        if (remainingNanos == TIMED_OUT) {
            throw IoExceptions.readTimedOut();
        }
        try {
            ensureConnected();
            ensureBlocking();
            checkInterrupt();
            if (isAtEnd()) {
                return EOF;
            }
            int n = CarrierIo.recvHeap(readOp, fdVal, bytes, offset, length, remainingNanos);
            if (ofKernelTls && KernelTls.isAboutRecord(n)) {
                Native.lu_take_socket_error(fdVal); // or the alert about it would not be sent
                return n;
            }
            return endRead(n);
        } finally {
            release(readOp);
        }
    }

    private int readWaiting(ByteBuffer dst) throws IOException {
        checkInterrupt();
        if (isAtEnd()) {
            return EOF;
        }
        BufferIo.checkWritable(dst);
        int length = dst.remaining();
        if (length == 0) {
            return 0;
        }
        int position = dst.position();
        int n;
        if (dst.isDirect()) {
            long address = SunNet.acquire(dst);
            try {
                n = CarrierIo.recv(readOp, fdVal, address + position, length, 0, NO_TIMEOUT);
            } finally {
                SunNet.release(dst);
            }
        } else {
            int arrayPosition = dst.arrayOffset() + position;
            n = CarrierIo.recvHeap(readOp, fdVal, dst.array(), arrayPosition, length, NO_TIMEOUT);
        }
        if (n > 0) {
            dst.position(position + n);
        }
        return endRead(n);
    }

    private int endRead(int n) throws IOException {
        checkInterrupt();
        return n > 0 ? n : endOrFailure(n);
    }

    private int endOrFailure(int n) throws IOException {
        checkEnded(readOp);
        if (n == 0) {
            return EOF;
        }
        if (readOp.cancelReason() == Op.DEADLINE && n == -ECANCELED) {
            throw IoExceptions.readTimedOut();
        }
        return readFailed(n);
    }

    private int readFailed(int n) throws IOException {
        boolean reset = IoExceptions.isReset(n);
        connectionReset |= reset;
        synchronized (stateLock) { // a half-close may have caused it
            if (inputClosed && host.isChannel()) {
                return EOF;
            }
        }
        throw reset ? IoExceptions.connectionReset() : IoExceptions.io(n);
    }

    /** Whether the input is closed here; throws if the peer has reset the connection. */
    private boolean isAtEnd() throws SocketException {
        if (connectionReset) {
            if (inputClosed && host.isChannel()) {
                return true;
            }
            throw IoExceptions.connectionReset();
        }
        return inputClosed;
    }

    private int readNow(ByteBuffer dst) throws IOException {
        if (isAtEnd()) {
            return EOF;
        }
        BufferIo.checkWritable(dst);
        return dst.hasRemaining() ? readResultNow(BufferIo.read(RECV, this, dst)) : 0;
    }

    private int readResultNow(int n) throws IOException {
        if (n > 0) {
            return n;
        }
        if (n == 0) {
            return EOF;
        }
        if (n == -EAGAIN || n == -EINTR) {
            return inputClosed ? EOF : 0;
        }
        return readFailed(n);
    }

    // ---- scatter ----

    /** As {@code SocketChannel.read}. */
    long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, dsts.length);
        if (length == 1) {
            return read(dsts[offset]);
        }
        claim(readOp);
        try {
            ensureConnected();
            if (blocking) {
                checkInterrupt();
            }
            if (isAtEnd()) {
                return EOF;
            }
            int to = offset + length;
            for (int i = offset; i < to; i++) {
                BufferIo.checkWritable(dsts[i]);
            }
            int from = IoVector.skipEmpty(dsts, offset, to);
            if (from == to) {
                return 0;
            }
            return blocking
                    ? endRead(scatterWaiting(dsts, from, to))
                    : readResultNow(BufferIo.readRow(RECVMSG, this, dsts, from, to));
        } finally {
            release(readOp);
        }
    }

    /** Receives, once there is something; while there is not, it holds no memory. */
    private int scatterWaiting(ByteBuffer[] dsts, int from, int to) {
        int n = BufferIo.readRow(RECVMSG, this, dsts, from, to);
        while (n == -EAGAIN) {
            int revents = CarrierIo.poll(readOp, fdVal, POLLIN, NO_TIMEOUT);
            n = revents < 0 ? revents : BufferIo.readRow(RECVMSG, this, dsts, from, to);
        }
        return n;
    }

    // ---- write ----

    /** As {@code SocketChannel.write}; in blocking mode all that remains is written. */
    int write(ByteBuffer src) throws IOException {
        Objects.requireNonNull(src);
        claim(writeOp);
        try {
            ensureConnected();
            if (!blocking) {
                return writeNow(src);
            }
            checkInterrupt();
            ensureOutputOpen();
            if (!src.hasRemaining()) {
                return 0;
            }
            int n = sendAll(src);
            return (int) endWrite(n, !src.hasRemaining());
        } finally {
            release(writeOp);
        }
    }

    /** Writes all of a part of an array, in blocking mode only. */
    void writeFully(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return;
        }
        claim(writeOp);
        try {
            ensureConnected();
            ensureBlocking();
            checkInterrupt();
            if (outputClosed && host.isChannel()) {
                throw closed();
            }
            int sent = 0;
            while (sent < length) {
                int n = CarrierIo.sendHeap(writeOp, fdVal, bytes, offset + sent, length - sent);
                checkInterrupt();
                if (n <= 0) {
                    checkEnded(writeOp);
                    throw IoExceptions.io(n);
                }
                sent += n;
            }
        } finally {
            release(writeOp);
        }
    }

    /** Sends what remains, and moves the position. Fewer bytes if an error or cancel came after. */
    private int sendAll(ByteBuffer src) {
        int length = src.remaining();
        int position = src.position();
        int n;
        if (src.isDirect()) {
            long address = SunNet.acquire(src);
            try {
                n = CarrierIo.send(writeOp, fdVal, address + position, length, BLOCKING_SEND);
            } finally {
                SunNet.release(src);
            }
        } else {
            n = CarrierIo.sendHeap(writeOp, fdVal, src, position, length);
        }
        if (n > 0) {
            src.position(position + n);
        }
        return n;
    }

    /**
     * Ends a write of {@code n} bytes, or with an error. One that was cut short by close fails like
     * one that did not begin: how far it came, the positions tell.
     */
    private long endWrite(long n, boolean all) throws IOException {
        checkInterrupt();
        if (all) {
            return n;
        }
        if (n > 0) {
            checkEnded(writeOp);
            return n;
        }
        return writeFailed((int) n);
    }

    private int writeFailed(int n) throws IOException {
        assert n < 0 : n;
        checkEnded(writeOp);
        checkHalfClose();
        throw IoExceptions.io(n);
    }

    /** The JDK's channels say the same whether a half-close came before a write or during it. */
    private void ensureOutputOpen() throws AsynchronousCloseException {
        if (outputClosed && host.isChannel()) {
            throw new AsynchronousCloseException();
        }
    }

    private void checkHalfClose() throws AsynchronousCloseException {
        synchronized (stateLock) { // it may have ended a write and is noted down after that
            ensureOutputOpen();
        }
    }

    private int writeNow(ByteBuffer src) throws IOException {
        return writeResultNow(src.hasRemaining() ? BufferIo.write(SEND, this, src) : 0);
    }

    private int writeResultNow(int n) throws IOException {
        if (n > 0) {
            return n;
        }
        checkHalfClose();
        if (n == 0 || n == -EAGAIN || n == -EINTR) {
            return 0;
        }
        throw IoExceptions.io(n);
    }

    /** Sends a byte of urgent data; returns 0 if there is no room for it in non-blocking mode. */
    int sendUrgent(byte data) throws IOException {
        claim(writeOp);
        try {
            ensureConnected();
            if (blocking) {
                checkInterrupt();
                ensureOutputOpen();
            }
            Scratch scratch = Scratch.take();
            int n;
            try {
                Memory.putByte(scratch.address, data);
                int flags = MSG_OOB | SEND_NOW;
                n =
                        blocking
                                ? CarrierIo.send(writeOp, fdVal, scratch.address, 1, flags)
                                : Shim.send(fdVal, scratch.address, 1, flags);
            } finally {
                scratch.release();
            }
            if (!blocking) {
                return writeResultNow(n);
            }
            if (n == -EAGAIN && !isClosing()) {
                throw new SocketException("No buffer space available");
            }
            return (int) endWrite(n, n == 1);
        } finally {
            release(writeOp);
        }
    }

    // ---- gather ----

    /** As {@code SocketChannel.write}; in blocking mode all that remains is written. */
    long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, srcs.length);
        if (length == 1) {
            return write(srcs[offset]);
        }
        claim(writeOp);
        try {
            ensureConnected();
            if (blocking) {
                checkInterrupt();
                ensureOutputOpen();
            }
            int to = offset + length;
            int from = IoVector.skipEmpty(srcs, offset, to);
            if (from == to) {
                return blocking ? 0 : writeResultNow(0);
            }
            if (!blocking) {
                return gatherNow(srcs, from, to);
            }
            long n = gatherAll(srcs, from, to);
            return endWrite(n, IoVector.skipEmpty(srcs, from, to) == to);
        } finally {
            release(writeOp);
        }
    }

    /** Sends all; while the peer does not read, it holds no memory. Count if any went. */
    private long gatherAll(ByteBuffer[] srcs, int offset, int to) {
        long sent = 0;
        int from = offset;
        while (from < to) {
            int n = BufferIo.writeRow(SENDMSG, this, srcs, from, to);
            if (n == -EAGAIN) {
                n = Math.min(0, CarrierIo.poll(writeOp, fdVal, POLLOUT, NO_TIMEOUT));
            }
            if (n < 0) {
                return sent > 0 ? sent : n;
            }
            sent += n;
            from = IoVector.skipEmpty(srcs, from, to);
        }
        return sent;
    }

    /** Sends as much as the socket takes; an error after that comes next time. */
    private long gatherNow(ByteBuffer[] srcs, int offset, int to) throws IOException {
        long sent = 0;
        int from = offset;
        while (from < to) {
            int n = BufferIo.writeRow(SENDMSG, this, srcs, from, to);
            if (n <= 0) {
                return sent > 0 ? sent : writeResultNow(n);
            }
            sent += n;
            from = IoVector.skipEmpty(srcs, from, to);
        }
        return sent;
    }

    // ---- TLS in the kernel: see KernelTls ----

    /**
     * As {@link #read(byte[], int, int, long)}, where the kernel opens TLS records.
     *
     * @return bytes, {@link #EOF}, or {@code -errno} about the next record: {@link
     *     KernelTls#isAboutRecord}
     */
    int readTls(byte[] bytes, int offset, int length, long timeoutNanos) throws IOException {
        return receive(bytes, offset, length, timeoutNanos, true);
    }

    /** Bytes of data that are there, up to a block. */
    int availableTls() throws IOException {
        claim(readOp);
        Scratch scratch = Scratch.take();
        try {
            ensureConnected();
            int flags = MSG_PEEK | MSG_DONTWAIT;
            return Math.max(0, Shim.recv(fdVal, scratch.address, Scratch.SIZE, flags));
        } finally {
            scratch.release();
            release(readOp);
        }
    }

    /** Takes the next record, which is there already, with its type; null if it is not. */
    KernelTls.TypedRecord takeTlsRecord() throws IOException {
        claim(readOp);
        Scratch scratch = Scratch.take();
        try {
            ensureConnected();
            TlsMessage.prepareReceive(scratch.address, Scratch.SIZE);
            int n = Shim.recvmsg(fdVal, scratch.address, MSG_DONTWAIT);
            return n == -EAGAIN
                    ? null
                    : new KernelTls.TypedRecord(
                            TlsMessage.type(scratch.address, n),
                            TlsMessage.content(scratch.buffer, n));
        } finally {
            scratch.release();
            release(readOp);
        }
    }

    /**
     * Sends a record of another type than data.
     *
     * @param timeoutNanos how long to wait for room
     * @return whether it went
     */
    boolean sendTlsRecord(int type, byte[] content, long timeoutNanos) throws IOException {
        claim(writeOp);
        try {
            ensureConnected();
            int n;
            do {
                Scratch scratch = Scratch.take();
                try {
                    TlsMessage.prepareSend(scratch.address, scratch.buffer, type, content);
                    n = CarrierIo.sendmsg(writeOp, fdVal, scratch.address, SEND_NOW);
                } finally {
                    scratch.release();
                }
                if (n == -EAGAIN) {
                    int revents = CarrierIo.poll(writeOp, fdVal, POLLOUT, timeoutNanos);
                    if (revents == -ECANCELED && writeOp.cancelReason() == Op.DEADLINE) {
                        return false;
                    }
                    n = revents < 0 ? revents : n;
                }
            } while (n == -EAGAIN);
            return endWrite(n, n == content.length) == content.length;
        } finally {
            release(writeOp);
        }
    }

    /** {@code setsockopt(2)}: 0 or {@code -errno}. */
    int setOption(int level, int name, long value, int length) throws IOException {
        synchronized (stateLock) {
            ensureConnected();
            return Native.lu_setsockopt(fdVal, level, name, value, length);
        }
    }

    // ---- files ----

    /**
     * Sends a part of a file by {@code sendfile(2)}, as {@code FileChannel.transferTo} does: in
     * blocking mode all of it, in non-blocking mode what there is room for.
     *
     * <p>Only a platform thread waits in the system call. A virtual one waits for room by its
     * carrier's ring, and lets other threads have the carrier after each chunk. It is not among the
     * file's threads while it waits: that the file is closed it finds out when there is room.
     *
     * @return bytes sent, 0 at the end of the file; {@code -EINVAL} if it is not a file that can be
     *     sent so
     */
    long sendFile(FileChannel file, long position, int count) throws IOException {
        claim(writeOp);
        try {
            ensureConnected();
            if (outputClosed) {
                throw host.closed();
            }
            if (!blocking) {
                int n = sendFileOnce(file, position, count);
                return n == -EINVAL ? n : writeResultNow(n);
            }
            checkInterrupt();
            return sendFileWaiting(file, position, count);
        } finally {
            release(writeOp);
        }
    }

    private long sendFileWaiting(FileChannel file, long position, int count) throws IOException {
        long sent = 0;
        int n;
        long chunkMax = Thread.currentThread().isVirtual() ? FILE_CHUNK_MAX : count;
        do {
            int chunk = (int) Math.min(count - sent, chunkMax);
            n = sendFileOnce(file, position + sent, chunk);
            sent += Math.max(0, n);
            if (n == -EAGAIN || (n > 0 && sent < count)) {
                n = CarrierIo.poll(writeOp, fdVal, POLLOUT, NO_TIMEOUT);
            }
        } while ((n > 0 && sent < count) || n == -EINTR);
        checkInterrupt();
        if (sent > 0 || n == 0 || n == -EINVAL) {
            return sent > 0 ? sent : n;
        }
        checkEnded(writeOp);
        throw IoExceptions.io(n);
    }

    private int sendFileOnce(FileChannel file, long position, int count) throws IOException {
        int n = -EBADF;
        int thread = FileTransfers.begin(file);
        try {
            int fileFd = FileTransfers.fdVal(file);
            n =
                    blocking
                            ? CarrierIo.sendfile(writeOp, fdVal, fileFd, position, count)
                            : Shim.sendfile(fdVal, fileFd, position, count);
        } finally {
            FileTransfers.end(file, n >= 0, thread);
        }
        return n;
    }
}
