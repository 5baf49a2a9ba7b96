package io.loomuring.net;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
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
            return endRead(
                    CarrierIo.recvHeap(readOp, fdVal, bytes, offset, length, remainingNanos));
        } finally {
            release(readOp);
        }
    }

    private int readWaiting(ByteBuffer dst) throws IOException {
        checkInterrupt();
        if (isAtEnd()) {
            return EOF;
        }
        checkWritable(dst);
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

    private static void checkWritable(ByteBuffer dst) {
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
    }

    private int readNow(ByteBuffer dst) throws IOException {
        if (isAtEnd()) {
            return EOF;
        }
        checkWritable(dst);
        int length = dst.remaining();
        if (length == 0) {
            return 0;
        }
        int position = dst.position();
        int n;
        if (dst.isDirect()) {
            long address = SunNet.acquire(dst);
            try {
                n = Shim.recv(fdVal, address + position, length, MSG_DONTWAIT);
            } finally {
                SunNet.release(dst);
            }
        } else {
            Scratch scratch = Scratch.take();
            try {
                n = Shim.recv(fdVal, scratch.address, Math.min(length, Scratch.SIZE), MSG_DONTWAIT);
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
        return readResultNow(n);
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
                checkWritable(dsts[i]);
            }
            int from = IoVector.skipEmpty(dsts, offset, to);
            if (from == to) {
                return 0;
            }
            return blocking
                    ? endRead(scatterWaiting(dsts, from, to))
                    : readResultNow(scatter(dsts, from, to));
        } finally {
            release(readOp);
        }
    }

    /** Receives, once there is something; while there is not, it holds no memory. */
    private int scatterWaiting(ByteBuffer[] dsts, int from, int to) {
        int n = scatter(dsts, from, to);
        while (n == -EAGAIN) {
            int revents = CarrierIo.poll(readOp, fdVal, POLLIN, NO_TIMEOUT);
            n = revents < 0 ? revents : scatter(dsts, from, to);
        }
        return n;
    }

    private int scatter(ByteBuffer[] dsts, int from, int to) {
        Scratch scratch = Scratch.take();
        try {
            int end = IoVector.beginRead(scratch, dsts, from, to);
            int n = 0;
            try {
                long header = IoVector.header(scratch);
                n =
                        blocking
                                ? CarrierIo.recvmsg(readOp, fdVal, header, MSG_DONTWAIT, NO_TIMEOUT)
                                : Shim.recvmsg(fdVal, header, MSG_DONTWAIT);
            } finally {
                IoVector.endRead(scratch, dsts, from, end, n);
            }
            return n;
        } finally {
            scratch.release();
        }
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
        } else if (src.hasArray()) {
            int arrayPosition = src.arrayOffset() + position;
            n = CarrierIo.sendHeap(writeOp, fdVal, src.array(), arrayPosition, length);
        } else {
            n = sendReadOnly(src, position, length);
        }
        if (n > 0) {
            src.position(position + n);
        }
        return n;
    }

    /** A read-only heap buffer hides its array: goes by way of a copy. */
    private int sendReadOnly(ByteBuffer src, int position, int length) {
        var copy = new byte[Math.min(length, Scratch.SIZE)];
        int sent = 0;
        while (sent < length) {
            int chunk = Math.min(length - sent, copy.length);
            src.get(position + sent, copy, 0, chunk);
            int n = CarrierIo.sendHeap(writeOp, fdVal, copy, 0, chunk);
            if (n < 0) {
                return sent > 0 ? sent : n;
            }
            sent += n;
            if (n < chunk) {
                break;
            }
        }
        return sent;
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
        int length = src.remaining();
        int position = src.position();
        int n = 0;
        if (length > 0) {
            n = src.isDirect() ? sendNow(src, position, length) : sendCopy(src, position, length);
        }
        if (n > 0) {
            src.position(position + n);
        }
        return writeResultNow(n);
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

    private int sendNow(ByteBuffer src, int position, int length) {
        long address = SunNet.acquire(src);
        try {
            return Shim.send(fdVal, address + position, length, SEND_NOW);
        } finally {
            SunNet.release(src);
        }
    }

    /**
     * Sends from a heap buffer as much as the socket takes; an error after that comes next time.
     */
    private int sendCopy(ByteBuffer src, int position, int length) {
        Scratch scratch = Scratch.take();
        try {
            int sent = 0;
            while (sent < length) {
                int chunk = Math.min(length - sent, Scratch.SIZE);
                scratch.buffer.put(0, src, position + sent, chunk);
                int n = Shim.send(fdVal, scratch.address, chunk, SEND_NOW);
                if (n <= 0) {
                    return sent > 0 ? sent : n;
                }
                sent += n;
                if (n < chunk) {
                    break;
                }
            }
            return sent;
        } finally {
            scratch.release();
        }
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
            int n = gather(srcs, from, to);
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
            int n = gather(srcs, from, to);
            if (n <= 0) {
                return sent > 0 ? sent : writeResultNow(n);
            }
            sent += n;
            from = IoVector.skipEmpty(srcs, from, to);
        }
        return sent;
    }

    private int gather(ByteBuffer[] srcs, int from, int to) {
        Scratch scratch = Scratch.take();
        try {
            int end = IoVector.beginWrite(scratch, srcs, from, to);
            int n = 0;
            try {
                long header = IoVector.header(scratch);
                n =
                        blocking
                                ? CarrierIo.sendmsg(writeOp, fdVal, header, SEND_NOW)
                                : Shim.sendmsg(fdVal, header, SEND_NOW);
            } finally {
                IoVector.endWrite(scratch, srcs, from, end, n);
            }
            return n;
        } finally {
            scratch.release();
        }
    }
}
