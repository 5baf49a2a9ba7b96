package io.loomuring.tls;

import io.loomuring.net.KernelTls;
import io.loomuring.tls.KeyCapture.Direction;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;

/**
 * The kernel's part in a connection. Each direction goes its own way, once:
 *
 * <pre>
 *            the keys are proved, and the kernel takes them
 *     ENGINE ----------------------------------------------> KERNEL
 *        '-------------------------------------------------> ENGINE for good, and the reason counted
 *              no keys, or the kernel refuses
 * </pre>
 *
 * From then on nothing that the engine seals may be sent: its next record would use a nonce of the
 * kernel's again.
 *
 * <p>A direction's methods are called under the connection's lock of that direction, {@link #close}
 * by any thread. What of the keys a KeyUpdate needs stays here, zeroed at close.
 */
final class Offload {
    private final SSLEngine engine;
    private final Socket socket;
    private final KeyCapture capture; // null: it was clear before that nothing can be offloaded
    private final KernelTls kernel; // null with it
    private final OffloadOutcome obstacle; // why

    private boolean attached; // guarded by this
    private boolean closed; // guarded by this
    private volatile boolean done; // the handshake
    private TrafficKeys sendKeys; // TLS 1.3: what the next ones come from; guarded by this
    private TrafficKeys receiveKeys; // likewise
    private volatile OffloadOutcome send; // null: not settled
    private volatile OffloadOutcome receive; // likewise

    private Offload(
            SSLEngine engine,
            Socket socket,
            KeyCapture capture,
            KernelTls kernel,
            OffloadOutcome obstacle) {
        this.engine = engine;
        this.socket = socket;
        this.capture = capture;
        this.kernel = kernel;
        this.obstacle = obstacle;
    }

    /**
     * For a connection whose handshake is yet to come.
     *
     * @param shared whether somebody else uses the socket before or after
     */
    static Offload of(SSLEngine engine, Socket socket, boolean shared) {
        if (ContextSpi.isCapturing()) {
            return new Offload(
                    engine, socket, new KeyCapture(engine), null, OffloadOutcome.SWITCHED_OFF);
        }
        try {
            OffloadOutcome obstacle = obstacle(shared);
            if (obstacle == null) {
                KernelTls kernel = KernelTls.of(socket);
                if (kernel != null) {
                    return watching(engine, socket, kernel);
                }
                obstacle = OffloadOutcome.OTHER_SOCKET;
            }
            return none(engine, socket, obstacle);
        } catch (LinkageError e) { // no loom-uring on the class path, or an older one
            return none(engine, socket, OffloadOutcome.SWITCHED_OFF);
        }
    }

    private static OffloadOutcome obstacle(boolean shared) {
        if (!KernelTls.isAllowed()) {
            return OffloadOutcome.SWITCHED_OFF;
        }
        if (!KernelTls.isAvailable()) {
            return OffloadOutcome.NO_KERNEL_TLS;
        }
        return shared ? OffloadOutcome.SHARED_SOCKET : null;
    }

    private static Offload watching(SSLEngine engine, Socket socket, KernelTls kernel) {
        var capture = new KeyCapture(engine);
        capture.proveEach(Direction.SEND);
        return new Offload(engine, socket, capture, kernel, null);
    }

    private static Offload none(SSLEngine engine, Socket socket, OffloadOutcome obstacle) {
        return new Offload(engine, socket, null, null, obstacle);
    }

    /** Watches the handshake, if there is a use for its keys; else null. */
    KeyCapture capture() {
        return capture;
    }

    /** Whether the kernel seals what is sent. */
    boolean sends() {
        return isOffloaded(send);
    }

    /** Whether the kernel opens what is received. */
    boolean receives() {
        return isOffloaded(receive);
    }

    private static boolean isOffloaded(OffloadOutcome outcome) {
        return outcome != null && outcome.isOffloaded();
    }

    /** Whether the kernel may yet be the one who receives: nothing may be read ahead of it. */
    boolean mayReceive() {
        return kernel != null && receive == null;
    }

    /** Null: not settled. */
    OffloadOutcome outcome(Direction direction) {
        return direction == Direction.SEND ? send : receive;
    }

    // ---- the handover ----

    /** When the handshake is done; settles what can be. */
    void handshakeDone() {
        done = true;
        if (kernel == null) {
            settle(Direction.SEND, obstacle);
            settle(Direction.RECEIVE, obstacle);
        }
    }

    /** Hands a direction over, if it can be now; all that the engine sealed is sent. */
    void handOver(Direction direction) {
        if (kernel == null || outcome(direction) != null) {
            return;
        }
        if (direction == Direction.RECEIVE && send == null) {
            return; // whoever receives may have to answer a KeyUpdate, which the engine won't
        }
        KeyOutcome proof = capture.outcome(direction);
        if (proof == null || (proof == KeyOutcome.PROVED && !capture.isFresh(direction))) {
            return; // no record by which to tell
        }
        if (proof != KeyOutcome.PROVED) {
            settle(direction, OffloadOutcome.NO_KEYS);
            return;
        }
        TrafficKeys keys = capture.take(direction);
        OffloadOutcome outcome = OffloadOutcome.REFUSED;
        try {
            synchronized (this) {
                if (!closed && attach()) {
                    TlsStat before = TlsStat.read();
                    if (give(direction, keys) == 0) {
                        outcome = before.taker(direction, TlsStat.read());
                    }
                }
            }
        } catch (IOException e) {
            // the socket is closed, or about to be: whoever uses it next is told
        }
        if (!outcome.isOffloaded()) {
            keys.close();
        }
        settle(direction, outcome);
    }

    private boolean attach() throws IOException {
        attached = attached || kernel.attach() == 0;
        return attached;
    }

    /** Under this object's lock: on success they are the kernel's, and ours for the next ones. */
    private int give(Direction direction, TrafficKeys keys) throws IOException {
        int rc =
                kernel.keys(
                        direction == Direction.SEND
                                ? KernelTls.Direction.SEND
                                : KernelTls.Direction.RECEIVE,
                        keys.isTls13(),
                        cipher(keys.suite()),
                        keys.key(),
                        keys.iv(),
                        keys.sequence());
        if (rc == 0) {
            keys.forgetKeys();
            if (direction == Direction.SEND) {
                sendKeys = keys;
            } else {
                receiveKeys = keys;
            }
        }
        return rc;
    }

    private static KernelTls.Cipher cipher(Suite suite) {
        return switch (suite) {
            case AES_128_GCM -> KernelTls.Cipher.AES_GCM_128;
            case AES_256_GCM -> KernelTls.Cipher.AES_GCM_256;
            case CHACHA20_POLY1305 -> KernelTls.Cipher.CHACHA20_POLY1305;
        };
    }

    private void settle(Direction direction, OffloadOutcome outcome) {
        if (direction == Direction.SEND) {
            send = outcome;
            if (capture != null) {
                capture.proveEach(Direction.RECEIVE);
            }
        } else {
            receive = outcome;
        }
        TlsCounters.count(direction, outcome);
        var event = new OffloadEvent();
        if (event.isEnabled()) {
            SSLSession session = engine.getSession();
            event.remote = String.valueOf(socket.getRemoteSocketAddress());
            event.protocol = session.getProtocol();
            event.suite = session.getCipherSuite();
            event.direction = direction == Direction.SEND ? "send" : "receive";
            event.outcome = outcome.label();
            event.reason = outcome.reason();
            event.commit();
        }
    }

    // ---- records, once the kernel does them ----

    boolean isTls13() {
        return capture.isTls13();
    }

    /** As {@link KernelTls#read}. */
    int read(byte[] target, int offset, int length) throws IOException {
        return kernel.read(target, offset, length);
    }

    /** As {@link KernelTls#available}. */
    int available() throws IOException {
        return kernel.available();
    }

    /** As {@link KernelTls#takeRecord}. */
    KernelTls.TypedRecord takeRecord() throws IOException {
        return kernel.takeRecord();
    }

    /** Sends a control record; false if there was no room for it in time. */
    boolean send(int type, ByteBuffer content, long timeoutMillis) throws IOException {
        byte[] bytes = new byte[content.remaining()];
        content.get(bytes);
        return kernel.send(type, bytes, timeoutMillis);
    }

    /** As {@link KernelTls#sendFile}. */
    long sendFile(FileChannel file, long position, int count) throws IOException {
        return kernel.sendFile(file, position, count);
    }

    /**
     * After a KeyUpdate: the direction's next keys, by RFC 8446 7.2.
     *
     * @return whether the kernel took them; if not the direction is of no use any more
     */
    synchronized boolean updateKeys(Direction direction) throws IOException {
        TrafficKeys present = direction == Direction.SEND ? sendKeys : receiveKeys;
        if (closed || present == null) {
            return false;
        }
        TrafficKeys next = present.next();
        boolean taken = false;
        try {
            taken = give(direction, next) == 0;
        } finally {
            (taken ? present : next).close();
        }
        return taken;
    }

    /** Zeroes what is left of the keys; what was never settled is settled. */
    void close() {
        synchronized (this) {
            closed = true;
            if (sendKeys != null) {
                sendKeys.close();
                sendKeys = null;
            }
            if (receiveKeys != null) {
                receiveKeys.close();
                receiveKeys = null;
            }
        }
        if (capture != null) {
            capture.close();
        }
        for (Direction direction : Direction.values()) {
            if (done && outcome(direction) == null) {
                settle(direction, OffloadOutcome.NO_KEYS);
            }
        }
    }
}
