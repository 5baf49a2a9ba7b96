package io.loomuring.tls;

import static io.loomuring.tls.Alert.*;
import static io.loomuring.tls.TlsRecord.*;

import io.loomuring.net.KernelTls;
import io.loomuring.tls.Alert.AlertException;
import io.loomuring.tls.KeyCapture.Direction;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection's data where the kernel seals or opens it, and the records between: alerts,
 * KeyUpdates, tickets that came too late. What is read is guarded by the connection's read lock,
 * what is written by its write lock.
 */
final class KernelRecords {
    /** The stream ended, without a close_notify. */
    static final int END = -1;

    /** A close_notify came. */
    static final int CLOSED = -2;

    // errno.h, of KernelTls.read
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int EBADMSG = 74;
    private static final int EMSGSIZE = 90;

    // Handshake messages, RFC 8446 4
    private static final int NEW_SESSION_TICKET = 4;
    private static final int KEY_UPDATE = 24;
    private static final int MESSAGE_HEADER = 4; // bytes: type, length
    private static final int UPDATE_NOT_REQUESTED = 0;
    private static final int UPDATE_REQUESTED = 1;

    /** In succession, without data: as many as BoringSSL takes. */
    private static final int CONTROLS_MAX = 32;

    /** How long a control record waits for room, in which nobody may read what was sent before. */
    private static final long CONTROL_WAIT_MILLIS = 1000;

    /** Records under one key: half of what RFC 8446 5.5 allows AES-GCM. */
    private static final long RECORDS_PER_KEY = 1 << 23;

    private final Offload offload;
    private final OutputStream out;
    private final ReentrantLock writeLock;

    private int controls; // in succession
    private int skipped; // bytes of a message that go on in the next record
    private volatile boolean updateAsked; // by the peer: ours is to come before more data
    private long sealed; // records, at least, under the present key
    private long recordsPerKey = RECORDS_PER_KEY;

    KernelRecords(Offload offload, OutputStream out, ReentrantLock writeLock) {
        this.offload = offload;
        this.out = out;
        this.writeLock = writeLock;
    }

    /** For tests: updates keys after so many records. */
    void recordsPerKey(long records) {
        recordsPerKey = records;
    }

    // ---- reading ----

    /**
     * Reads data, and does what the records before it ask for.
     *
     * @return bytes, {@link #END} or {@link #CLOSED}
     * @throws AlertException if the connection must end, with what to tell the peer
     */
    int read(byte[] target, int offset, int length) throws IOException {
        while (true) {
            int n = offload.read(target, offset, length);
            if (n > 0) {
                controls = 0;
                return n;
            }
            switch (-n) {
                case -END -> {
                    return END;
                }
                case EIO -> {
                    KernelTls.TypedRecord control = offload.takeRecord();
                    if (control == null || control.type() < 0) {
                        throw new AlertException(INTERNAL_ERROR, "The kernel gives no record");
                    }
                    if (control.type() == APPLICATION_DATA) {
                        throw new AlertException(
                                INTERNAL_ERROR, "The kernel gave data for control");
                    }
                    if (take(control)) {
                        return CLOSED;
                    }
                }
                case EBADMSG -> throw new AlertException(BAD_RECORD_MAC, "Tag mismatch");
                case EMSGSIZE -> throw new AlertException(RECORD_OVERFLOW, "Record overflow");
                case EINVAL ->
                        throw new AlertException(
                                UNEXPECTED_MESSAGE, "Unsupported or unrecognized SSL message");
                default -> throw new AlertException(INTERNAL_ERROR, "The kernel says " + n);
            }
        }
    }

    /** Whether it was a close_notify. */
    private boolean take(KernelTls.TypedRecord control) throws IOException {
        if (++controls > CONTROLS_MAX) {
            throw new AlertException(UNEXPECTED_MESSAGE, "Too many records without data");
        }
        ByteBuffer content = control.content();
        return switch (control.type()) {
            case ALERT -> takeAlert(content);
            case HANDSHAKE -> {
                if (offload.isTls13()) {
                    takeMessages(content);
                } else if (!alert(WARNING, NO_RENEGOTIATION)) {
                    throw new AlertException(INTERNAL_ERROR, "No room to refuse renegotiation");
                }
                yield false;
            }
            default ->
                    throw new AlertException(
                            UNEXPECTED_MESSAGE, "Unexpected record of type " + control.type());
        };
    }

    /** Whether it was a close_notify. */
    private boolean takeAlert(ByteBuffer content) throws AlertException {
        if (content.remaining() != 2) {
            throw new AlertException(DECODE_ERROR, "An alert of " + content.remaining() + " bytes");
        }
        int level = content.get();
        int description = content.get() & 0xff;
        if (description == CLOSE_NOTIFY) {
            return true;
        }
        if (description == USER_CANCELED || (level == WARNING && !offload.isTls13())) {
            return false;
        }
        throw new AlertException(NONE, "Received fatal alert: " + Alert.name(description));
    }

    private void takeMessages(ByteBuffer content) throws IOException {
        int rest = Math.min(skipped, content.remaining());
        content.position(content.position() + rest);
        skipped -= rest;
        while (content.remaining() >= MESSAGE_HEADER) {
            int header = content.getInt();
            int type = header >>> 24;
            int length = header & 0xffffff;
            if (type == NEW_SESSION_TICKET) {
                TlsCounters.TICKETS_DROPPED.increment();
                int here = Math.min(length, content.remaining());
                content.position(content.position() + here);
                skipped = length - here;
            } else if (type == KEY_UPDATE && length == 1 && content.remaining() == 1) {
                receiveUpdate(content.get());
            } else {
                throw new AlertException(
                        UNEXPECTED_MESSAGE, "Unexpected handshake message of type " + type);
            }
        }
        if (content.hasRemaining()) {
            throw new AlertException(DECODE_ERROR, "A handshake message that is cut off");
        }
    }

    private void receiveUpdate(int request) throws IOException {
        if (request != UPDATE_NOT_REQUESTED && request != UPDATE_REQUESTED) {
            throw new AlertException(Alert.DECODE_ERROR, "KeyUpdate " + request);
        }
        if (!offload.updateKeys(Direction.RECEIVE)) {
            throw cannotUpdate();
        }
        TlsCounters.KEY_UPDATES.increment();
        if (request == UPDATE_REQUESTED) {
            if (!offload.sends()) {
                throw new AlertException(
                        INTERNAL_ERROR, "The peer asks for a KeyUpdate, which the engine can't do");
            }
            askUpdate();
        }
    }

    private static AlertException cannotUpdate() {
        return new AlertException(
                CLOSE_NOTIFY,
                "The peer changes its keys, which this kernel can't follow (Linux before 6.14):"
                        + " set loomuring.ktls=off, or have the peer send no KeyUpdate");
    }

    /** Our KeyUpdate is to go before more data: now, unless a writer is at it, who will see. */
    void askUpdate() throws IOException {
        updateAsked = true;
        while (updateAsked && writeLock.tryLock()) {
            try {
                beforeData();
            } finally {
                writeLock.unlock();
            }
        }
    }

    // ---- writing ----

    /** Sends data, all of it. */
    void write(byte[] source, int offset, int length) throws IOException {
        beforeData();
        out.write(source, offset, length);
        count(length);
    }

    /** As {@link KernelTls#sendFile}. */
    long sendFile(FileChannel file, long position, int count) throws IOException {
        beforeData();
        long n = offload.sendFile(file, position, count);
        count(Math.max(0, n));
        return n;
    }

    private void count(long bytes) throws IOException {
        sealed += (bytes + EngineBuffers.PLAIN_MAX - 1) / EngineBuffers.PLAIN_MAX;
        beforeData(); // asked for meanwhile
    }

    private void beforeData() throws IOException {
        assert writeLock.isHeldByCurrentThread();
        if (updateAsked || (sealed >= recordsPerKey && offload.isTls13())) {
            updateAsked = false;
            sealed = 0;
            ByteBuffer message =
                    ByteBuffer.allocate(MESSAGE_HEADER + 1)
                            .putInt(KEY_UPDATE << 24 | 1)
                            .put((byte) UPDATE_NOT_REQUESTED)
                            .flip();
            if (!offload.send(HANDSHAKE, message, CONTROL_WAIT_MILLIS)) {
                throw new AlertException(INTERNAL_ERROR, "No room for a KeyUpdate");
            }
            if (!offload.updateKeys(Direction.SEND)) {
                throw cannotUpdate();
            }
            TlsCounters.KEY_UPDATES.increment();
        }
    }

    /** Sends an alert behind all data; false if there was no room for it in time. */
    boolean alert(int level, int description) throws IOException {
        ByteBuffer content = ByteBuffer.wrap(new byte[] {(byte) level, (byte) description});
        return offload.send(ALERT, content, CONTROL_WAIT_MILLIS);
    }
}
