package io.loomuring.tls;

import io.loomuring.tls.Alert.AlertException;
import io.loomuring.tls.KeyCapture.Direction;

import org.conscrypt.Conscrypt;
import org.conscrypt.HandshakeListener;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * A Conscrypt engine that speaks over a connected socket, record by record.
 *
 * <pre>
 *   NEW --handshake--> SHAKING --the engine is done--> OPEN --close_notify came--> ENDED
 *                         |                              |                           |
 *                         '------------- close, or a fatal alert: CLOSED ------------'
 * </pre>
 *
 * One thread shakes hands, one reads and one writes at a time, each under a lock of its own, which
 * it holds while it waits; close takes none of a waiting thread. The engine never waits. Either
 * direction may pass from the engine to the kernel: see {@link Offload}.
 */
final class TlsConnection {
    private static final ScopedValue<KtlsSocket> SHAKING_HANDS = ScopedValue.newInstance();
    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

    /** How long close waits for a writer, to end the stream behind it by a close_notify. */
    private static final long CLOSE_WAIT_MILLIS = 1000;

    /** How much unread input is thrown away lest closing resets what the peer should still read. */
    private static final int DEPLETE_MAX = 64 << 10; // bytes

    /** Of a file at once; other writers wait meanwhile. */
    private static final int FILE_MAX = 1 << 24; // bytes

    private static final boolean REQUIRE_CLOSE_NOTIFY =
            Boolean.getBoolean("com.sun.net.ssl.requireCloseNotify"); // JSSE's

    private final KtlsSocket owner;
    private final Socket socket;
    private final SSLEngine engine;
    private final boolean autoClose;
    private final InputStream in;
    private final OutputStream out;
    private final RecordInput records; // guarded by readLock
    private final Offload offload;
    private final KeyCapture capture; // null unless keys are wanted
    private final KernelRecords kernel; // of what is offloaded

    private final ReentrantLock handshakeLock = new ReentrantLock();
    private final ReentrantLock readLock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();

    private boolean begun; // guarded by handshakeLock
    private volatile boolean finished; // the engine's handshake; written under handshakeLock
    private volatile boolean open; // all of it is sent, too
    private volatile boolean ended; // close_notify came, or the end in its place
    private volatile boolean outputClosed;
    private volatile boolean closed;
    private volatile IOException failure; // what broke the connection
    private boolean shown; // the present record, to capture; guarded by readLock
    private EngineBuffers leftover; // plain bytes not yet read; guarded by readLock
    private NativeRecords natives; // past the engine, if that can be; published by open

    TlsConnection(
            KtlsSocket owner,
            Socket socket,
            InputStream in,
            SSLEngine engine,
            boolean autoClose,
            boolean shared)
            throws IOException {
        this.owner = owner;
        this.socket = socket;
        this.in = in;
        this.out = socket.getOutputStream();
        this.engine = engine;
        this.autoClose = autoClose;
        this.records = new RecordInput(in);
        this.offload = Offload.of(engine, socket, shared);
        this.capture = offload.capture();
        this.kernel = new KernelRecords(offload, out, writeLock);
    }

    /** The socket whose handshake this thread is in, or null. */
    static KtlsSocket shakingHands() {
        return SHAKING_HANDS.isBound() ? SHAKING_HANDS.get() : null;
    }

    SSLEngine engine() {
        return engine;
    }

    KeyCapture capture() {
        return capture;
    }

    Offload offload() {
        return offload;
    }

    KernelRecords kernel() {
        return kernel;
    }

    OffloadOutcome offloadOutcome(Direction direction) {
        return offload.outcome(direction);
    }

    boolean isOpen() {
        return open;
    }

    boolean isClosed() {
        return closed || failure != null;
    }

    boolean isInputEnded() {
        return ended;
    }

    boolean isOutputClosed() {
        return outputClosed;
    }

    // ---- handshake ----

    /** Shakes hands, unless that is done; false if it was. */
    boolean handshake() throws IOException {
        if (open) {
            return false;
        }
        handshakeLock.lock();
        try {
            if (open) {
                return false;
            }
            checkNotClosed();
            TlsCounters.HANDSHAKES.increment();
            ScopedValue.where(SHAKING_HANDS, owner)
                    .call(() -> {
                        shakeHands();
                        return null;
                    });
            open = true;
            return true;
        } catch (EOFException e) {
            throw fail(new SSLHandshakeException("Remote host terminated the handshake", e));
        } catch (SSLException e) {
            throw fail(e);
        } finally {
            handshakeLock.unlock();
        }
    }

    private void shakeHands() throws IOException {
        if (!begun) {
            Conscrypt.setHandshakeListener(
                    engine,
                    new HandshakeListener() {
                        @Override
                        public void onHandshakeFinished() throws SSLException {
                            finished = true;
                            if (capture != null) {
                                capture.handshakeFinished();
                            }
                        }
                    });
            engine.beginHandshake();
            begun = true;
        }
        EngineBuffers buffers = null;
        readLock.lock();
        try {
            while (!finished) {
                HandshakeStatus status = engine.getHandshakeStatus();
                if (status == HandshakeStatus.NEED_WRAP) {
                    flush();
                } else if (status == HandshakeStatus.NEED_UNWRAP) {
                    if (!records.next()) {
                        throw new EOFException("SSL peer shut down incorrectly");
                    }
                    buffers = EngineBuffers.take();
                    unwrap(buffers);
                    buffers.plain.flip();
                    if (buffers.plain.hasRemaining()) { // early data
                        leftover = buffers;
                    } else {
                        buffers.give();
                    }
                    buffers = null;
                } else {
                    checkNotClosed();
                    throw new SSLHandshakeException("Remote host terminated the handshake");
                }
            }
            flush();
            if (capture != null) {
                capture.handshakeSent();
            }
            natives = NativeRecords.of(engine);
            offload.handshakeDone();
            handOverSending();
            if (capture == null || !capture.isTls13()) {
                handOverReceiving();
            }
        } finally {
            if (buffers != null) {
                buffers.give();
            }
            readLock.unlock();
        }
    }

    /** What TLS 1.3 sends first proves the keys. */
    private void handOverSending() {
        writeLock.lock();
        try {
            offload.handOver(Direction.SEND);
        } finally {
            writeLock.unlock();
        }
    }

    /**
     * Between two records. In TLS 1.3 after the first data, as tickets come before it, which only
     * the engine can use.
     */
    private void handOverReceiving() {
        assert !offload.mayReceive() || !records.hasBytes();
        offload.handOver(Direction.RECEIVE);
        if (!offload.receives() && !offload.mayReceive()) {
            records.readAhead();
        }
    }

    /** Feeds the present record to the engine; its plain text is in the buffers then. */
    private Status unwrap(EngineBuffers buffers) throws SSLException {
        records.copyTo(buffers.cipher.clear());
        buffers.cipher.flip();
        buffers.plain.clear();
        if (capture != null && !shown) {
            capture.received(records.record());
            shown = true;
        }
        try {
            if (natives != null) {
                int count = natives.open(buffers);
                records.consume();
                shown = false;
                return count == NativeRecords.CLOSED ? Status.CLOSED : Status.OK;
            }
            SSLEngineResult result = engine.unwrap(buffers.cipher, buffers.plain);
            if (result.bytesConsumed() > 0) {
                records.consume();
                shown = false;
            } else if (result.getStatus() == Status.OK
                    && result.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
                throw new SSLException("the engine takes no record");
            }
            return result.getStatus();
        } catch (SSLException e) {
            String fault = records.fault();
            throw fault == null ? e : new SSLException(fault, e);
        }
    }

    /** Sends all that the engine has to send of its own. */
    private void flush() throws IOException {
        writeLock.lock();
        try {
            assert !offload.sends();
            byte[] net = EngineBuffers.RECORDS.take();
            try {
                int count;
                while ((count = wrapNothing(net)) > 0) {
                    out.write(net, 0, count);
                }
            } finally {
                EngineBuffers.RECORDS.give(net);
            }
        } finally {
            writeLock.unlock();
        }
    }

    private void dropWrapped() throws SSLException {
        EngineBuffers buffers = EngineBuffers.take();
        try {
            do {
                NOTHING.clear();
                engine.wrap(NOTHING, buffers.cipher.clear());
            } while (buffers.cipher.position() > 0);
        } finally {
            buffers.give();
        }
    }

    private int wrapNothing(byte[] net) throws SSLException {
        EngineBuffers buffers = EngineBuffers.take();
        try {
            NOTHING.clear();
            engine.wrap(NOTHING, buffers.cipher.clear());
            return takeCipher(buffers, net, 0);
        } finally {
            buffers.give();
        }
    }

    private int takeCipher(EngineBuffers buffers, byte[] net, int offset) {
        ByteBuffer cipher = buffers.cipher.flip();
        int count = cipher.remaining();
        if (capture != null && count > 0) {
            capture.sent(cipher.duplicate());
        }
        cipher.get(net, offset, count);
        return count;
    }

    // ---- data ----

    /** As {@link InputStream#read(byte[], int, int)}; shakes hands first. */
    int read(byte[] target, int offset, int length) throws IOException {
        readLock.lock();
        try {
            while (true) {
                checkNotClosed();
                if (leftover != null) {
                    return takeLeftover(target, offset, length);
                }
                if (ended) {
                    return -1;
                }
                if (offload.receives()) {
                    return readFromKernel(target, offset, length);
                }
                if (!records.next()) {
                    return end();
                }
                int count = decrypt(target, offset, length);
                if (count > 0) {
                    if (offload.mayReceive()) {
                        handOverReceiving();
                    }
                    return count;
                }
            }
        } catch (EOFException e) {
            TlsCounters.TRUNCATED.increment();
            throw fail(new SSLException("The stream ends in the middle of a record", e));
        } catch (SSLException e) {
            throw fail(e);
        } finally {
            if (closed) {
                releaseBuffers();
            }
            readLock.unlock();
        }
    }

    private int readFromKernel(byte[] target, int offset, int length) throws IOException {
        int count = kernel.read(target, offset, length);
        if (count == KernelRecords.CLOSED) {
            ended = true;
            answerCloseNotify();
            return -1;
        }
        if (count == KernelRecords.END) {
            if (in.available() > 0) { // which the kernel can't open
                throw new EOFException("SSL peer shut down incorrectly");
            }
            return end();
        }
        return count;
    }

    /** The stream ended without a close_notify: as JSSE takes it. */
    private int end() throws SSLException {
        TlsCounters.TRUNCATED.increment();
        if (REQUIRE_CLOSE_NOTIFY) {
            throw new SSLException("Remote host terminated the connection");
        }
        ended = true;
        return -1;
    }

    private int decrypt(byte[] target, int offset, int length) throws IOException {
        EngineBuffers buffers = EngineBuffers.take();
        try {
            Status status = unwrap(buffers);
            ByteBuffer plain = buffers.plain.flip();
            boolean data = plain.hasRemaining();
            int count = Math.min(plain.remaining(), length);
            plain.get(target, offset, count);
            if (plain.hasRemaining()) {
                leftover = buffers;
                buffers = null;
            }
            if (status == Status.CLOSED) {
                ended = true;
                answerCloseNotify();
            } else if (!data && offload.sends() && offload.isTls13() && updatesKeys()) {
                kernel.askUpdate();
            }
            return count;
        } finally {
            if (buffers != null) {
                buffers.give();
            }
        }
    }

    /**
     * Whether the engine has a KeyUpdate to answer the peer's, which is the kernel's to send. It
     * seals it before the next data alone: so it is given some, and what it seals is dropped.
     */
    private boolean updatesKeys() throws SSLException {
        EngineBuffers buffers = EngineBuffers.take();
        try {
            buffers.plain.clear().put((byte) 0).flip();
            engine.wrap(buffers.plain, buffers.cipher.clear());
            ByteBuffer records = buffers.cipher.flip();
            TlsRecord.next(records); // is the data's, if nothing is before it
            return TlsRecord.next(records) != null;
        } finally {
            buffers.give();
        }
    }

    private int takeLeftover(byte[] target, int offset, int length) {
        ByteBuffer plain = leftover.plain;
        int count = Math.min(plain.remaining(), length);
        plain.get(target, offset, count);
        if (!plain.hasRemaining()) {
            leftover.give();
            leftover = null;
        }
        return count;
    }

    /** Plain bytes that a read finds without waiting. */
    int available() throws IOException {
        checkNotClosed();
        if (!readLock.tryLock()) {
            return 0; // another thread takes them
        }
        try {
            if (leftover != null) {
                return leftover.plain.remaining();
            }
            return offload.receives() ? offload.available() : 0;
        } finally {
            readLock.unlock();
        }
    }

    /** As {@link OutputStream#write(byte[], int, int)}; shakes hands first. */
    void write(byte[] source, int offset, int length) throws IOException {
        int limit = offset + length;
        writeLock.lock();
        try {
            int position = offload.sends() ? offset : writeByEngine(source, offset, limit);
            if (position < limit) {
                checkWritable();
                kernel.write(source, position, limit - position);
            }
        } catch (SSLException e) {
            throw fail(e);
        } finally {
            writeLock.unlock();
        }
    }

    /** Until all is sent or sending is the kernel's; returns the position of what is left. */
    private int writeByEngine(byte[] source, int offset, int limit) throws IOException {
        int position = offset;
        byte[] net = null;
        try {
            while (position < limit && !offload.sends()) {
                checkWritable();
                int filled = 0;
                EngineBuffers buffers = EngineBuffers.take();
                try {
                    do {
                        int count = Math.min(limit - position, EngineBuffers.PLAIN_MAX);
                        buffers.plain.clear().put(source, position, count).flip();
                        position += wrap(buffers);
                        if (net == null) {
                            net =
                                    position < limit
                                            ? EngineBuffers.RECORDS.take()
                                            : EngineBuffers.takeFor(buffers.cipher.position());
                        }
                        filled += takeCipher(buffers, net, filled);
                    } while (position < limit && net.length - filled >= EngineBuffers.RECORD_MAX);
                } finally {
                    buffers.give(); // not held while the peer is slow
                }
                out.write(net, 0, filled);
                offload.handOver(Direction.SEND);
            }
            return position;
        } finally {
            EngineBuffers.give(net);
        }
    }

    /**
     * Sends a part of a file, where the kernel seals without a copy in this process.
     *
     * @return bytes sent, at least 1; 0 at the file's end
     */
    long transferFrom(FileChannel file, long position, long count) throws IOException {
        writeLock.lock();
        try {
            checkWritable();
            if (offload.sends()) {
                long sent = kernel.sendFile(file, position, (int) Math.min(count, FILE_MAX));
                if (sent >= 0) {
                    return sent;
                }
            }
            byte[] chunk = new byte[(int) Math.min(count, EngineBuffers.PLAIN_MAX)];
            int read = file.read(ByteBuffer.wrap(chunk), position);
            if (read <= 0) {
                return 0;
            }
            write(chunk, 0, read);
            return read;
        } catch (SSLException e) {
            throw fail(e);
        } finally {
            writeLock.unlock();
        }
    }

    private int wrap(EngineBuffers buffers) throws IOException {
        buffers.cipher.clear();
        int consumed;
        try {
            consumed =
                    natives != null
                            ? natives.seal(buffers)
                            : engine.wrap(buffers.plain, buffers.cipher).bytesConsumed();
        } catch (SSLException e) {
            checkWritable(); // closed meanwhile: nothing is broken
            throw e;
        }
        if (consumed == 0 && buffers.cipher.position() == 0) {
            checkWritable();
            throw engine.isOutboundDone()
                    ? outboundClosed()
                    : new SSLException("the engine takes no data");
        }
        return consumed;
    }

    private void checkWritable() throws IOException {
        checkNotClosed();
        if (outputClosed) {
            throw outboundClosed();
        }
    }

    private static SocketException outboundClosed() {
        return new SocketException("Connection or outbound has closed");
    }

    private void checkNotClosed() throws IOException {
        IOException broken = failure;
        if (broken != null) {
            throw new SSLException("Connection has closed: " + broken.getMessage(), broken);
        }
        if (closed) {
            throw new SocketException("Socket is closed");
        }
    }

    // ---- the end ----

    /** Breaks the connection: the peer gets the engine's alert, the caller an exception. */
    private IOException fail(SSLException e) {
        if (failure != null || closed) {
            return e;
        }
        failure = e;
        TlsCounters.FAILURES.increment();
        sendLast(e instanceof AlertException known ? known.alert() : Alert.BAD_RECORD_MAC);
        outputClosed = true;
        try {
            deplete();
        } catch (IOException unread) {
            // nothing is lost by it but politeness
        }
        closeSocket();
        return e;
    }

    private void deplete() throws IOException {
        if (offload.receives()) {
            return; // the kernel gives nothing that it can't open
        }
        byte[] scratch = EngineBuffers.RECORDS.take();
        try {
            for (int total = 0; total < DEPLETE_MAX && in.available() > 0; ) {
                int count = in.read(scratch);
                if (count < 0) {
                    return;
                }
                total += count;
            }
        } finally {
            EngineBuffers.RECORDS.give(scratch);
        }
    }

    /** The engine closes both directions when a close_notify comes, and so do we. */
    private void answerCloseNotify() {
        sendLast(Alert.CLOSE_NOTIFY);
        outputClosed = true;
    }

    /**
     * Says what is to be said last, unless a writer is stuck.
     *
     * @param alert what; the engine, as long as it sends, has its own mind about a fatal one
     */
    private void sendLast(int alert) {
        if (!lockWriter()) {
            return; // its socket is about to be closed under it
        }
        try {
            if (alert == Alert.CLOSE_NOTIFY) {
                engine.closeOutbound();
            }
            if (!offload.sends()) {
                flush();
            } else if (alert != Alert.NONE) {
                kernel.alert(alert == Alert.CLOSE_NOTIFY ? Alert.WARNING : Alert.FATAL, alert);
            }
        } catch (IOException e) {
            // the peer is gone already, or the connection broken
        } finally {
            writeLock.unlock();
        }
    }

    private boolean lockWriter() {
        try {
            return writeLock.tryLock(CLOSE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return writeLock.tryLock();
        }
    }

    /** Ends the output by a close_notify; input goes on. */
    void shutdownOutput() throws IOException {
        checkNotClosed();
        if (!outputClosed) {
            outputClosed = true;
            sendLast(Alert.CLOSE_NOTIFY);
        }
        if (autoClose) {
            socket.shutdownOutput();
        }
    }

    /** Closes both directions, and the socket if it is ours; any thread, any time, once. */
    void close() throws IOException {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            if (failure == null && (finished || handshakeLock.isLocked())) {
                boolean already = outputClosed;
                outputClosed = true;
                if (!already) {
                    sendLast(Alert.CLOSE_NOTIFY);
                }
                if (!autoClose && open && !ended) {
                    awaitCloseNotify();
                }
            }
        } finally {
            if (autoClose) {
                socket.close();
            }
            freeEngine();
            offload.close();
            if (readLock.tryLock()) {
                try {
                    releaseBuffers();
                } finally {
                    readLock.unlock();
                }
            }
        }
    }

    /** Native memory and two descriptors are given back when all is said, heard or not. */
    private void freeEngine() {
        try {
            engine.closeOutbound();
            engine.closeInbound();
            dropWrapped();
        } catch (SSLException e) {
            // no close_notify came: told to whoever read
        }
    }

    /** The socket goes on to be used by others: the stream must be read to its end. */
    private void awaitCloseNotify() throws IOException {
        readLock.lock();
        EngineBuffers buffers = EngineBuffers.take();
        try {
            while (records.next()) {
                if (unwrap(buffers) == Status.CLOSED) {
                    ended = true;
                    return;
                }
            }
        } finally {
            buffers.give();
            readLock.unlock();
        }
    }

    private void closeSocket() {
        try {
            if (autoClose) {
                socket.close();
            }
        } catch (IOException e) {
            // closed is closed
        }
    }

    private void releaseBuffers() {
        if (leftover != null) {
            leftover.give();
            leftover = null;
        }
        records.release();
    }
}
