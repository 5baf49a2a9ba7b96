package io.loomuring.tls;

import java.nio.ByteBuffer;
import java.util.Arrays;

import javax.net.ssl.SSLEngine;

/**
 * Gets the traffic keys of a connection, and proves them on it before anybody may use them.
 *
 * <p>It is shown every record that passes, in order, before the engine is fed a received one and
 * after it made a sent one. When the handshake is finished it takes what ought to be the keys: for
 * TLS 1.2 by derivation from the session's master secret, for TLS 1.3 from BoringSSL's memory. A
 * direction's keys are proved by the first record that they protect (TLS 1.2: its Finished; TLS
 * 1.3: the first after the handshake) opening with them, at its sequence number. Then they are
 * {@link #keys had}; otherwise an outcome says why not, is counted, and the engine goes on.
 *
 * <p>Guarded by the connection's locks: one thread for each direction, one in the handshake.
 */
final class KeyCapture {
    /** One way of a connection. */
    enum Direction {
        SEND,
        RECEIVE
    }

    /** What is known of a direction; touched by that direction's thread after the handshake. */
    private static final class Way {
        TrafficKeys keys; // null: not had
        boolean protectedNow; // records are protected by the keys that are looked for
        long sequence; // of the next such record
        byte[] first; // TLS 1.2: the first of them, until the handshake is finished
        KeyOutcome outcome; // null: open
        boolean taken; // the keys are somebody else's now
        volatile boolean proveEach; // not the first record alone
        long proved; // the sequence after the last record that was opened
    }

    private final SSLEngine engine;
    private final boolean client;
    private final byte[] randoms = new byte[2 * SecretLayout.RANDOM]; // server's, client's
    private final Way send = new Way();
    private final Way receive = new Way();
    private boolean finished;
    private boolean tls13;

    KeyCapture(SSLEngine engine) {
        this.engine = engine;
        this.client = engine.getUseClientMode();
    }

    private Way way(Direction direction) {
        return direction == Direction.SEND ? send : receive;
    }

    /** A direction's keys, proved, at the sequence of its next record; null: not or not yet. */
    TrafficKeys keys(Direction direction) {
        Way way = way(direction);
        if (way.outcome != KeyOutcome.PROVED || way.taken) {
            return null;
        }
        way.keys.sequence(way.sequence);
        return way.keys;
    }

    /** As {@link #keys}, and they are the caller's from now on, to close. */
    TrafficKeys take(Direction direction) {
        TrafficKeys keys = keys(direction);
        Way way = way(direction);
        way.keys = null;
        way.taken = true;
        return keys;
    }

    /**
     * From now on each record is to be opened, not only the first one: a KeyUpdate makes the keys
     * those of before.
     */
    void proveEach(Direction direction) {
        way(direction).proveEach = true;
    }

    /** Whether the last record was opened by the keys, so that they are those of the next one. */
    boolean isFresh(Direction direction) {
        Way way = way(direction);
        return !tls13 || way.proved == way.sequence;
    }

    /** Of the finished handshake. */
    boolean isTls13() {
        return tls13;
    }

    /** What became of a direction; null: no record came by which to tell. */
    KeyOutcome outcome(Direction direction) {
        return way(direction).outcome;
    }

    /** The server's, then the client's, 32 bytes each. */
    byte[] randoms() {
        return randoms.clone();
    }

    // ---- what passes ----

    /** A record of the peer's, whole, before the engine is fed it. */
    void received(ByteBuffer record) {
        passed(receive, record);
    }

    /** Records of the engine's, whole, in the order in which they are sent. */
    void sent(ByteBuffer records) {
        ByteBuffer record;
        while ((record = TlsRecord.next(records)) != null) {
            passed(send, record);
        }
    }

    private void passed(Way way, ByteBuffer record) {
        int type = record.get(record.position());
        if (!finished) {
            Hellos.note(record, randoms);
        }
        if (way.protectedNow && (tls13 ? type == TlsRecord.APPLICATION_DATA : true)) {
            if (!finished) {
                keepFirst(way, record);
            } else if (way.keys != null && (way.outcome == null || way.proveEach)) {
                prove(way, record);
            }
            way.sequence++;
        } else if (type == TlsRecord.CHANGE_CIPHER_SPEC && !tls13) {
            way.protectedNow = true; // TLS 1.2; in 1.3 it means nothing, and is undone below
        }
    }

    private static void keepFirst(Way way, ByteBuffer record) {
        if (way.sequence == 0) {
            way.first = new byte[record.remaining()];
            record.get(record.position(), way.first);
        }
    }

    private static void prove(Way way, ByteBuffer record) {
        boolean opened = way.keys.opens(record, way.sequence);
        way.proved = opened ? way.sequence + 1 : 0;
        if (!opened || way.outcome == null) {
            settle(way, opened ? KeyOutcome.PROVED : KeyOutcome.UNPROVED);
        }
    }

    private static void settle(Way way, KeyOutcome outcome) {
        way.outcome = outcome;
        way.first = null;
        TlsCounters.count(outcome);
        if (outcome != KeyOutcome.PROVED && way.keys != null) {
            way.keys.close();
            way.keys = null;
        }
    }

    // ---- the handshake's end ----

    /** Called by the engine the moment it is finished, before it can be fed another record. */
    void handshakeFinished() {
        tls13 = engine.getSession().getProtocol().equals("TLSv1.3");
        if (tls13) {
            restart(receive);
            restart(send);
            receive.protectedNow = true;
            send.protectedNow = !client; // a client's Finished is yet to be sent, by other keys
        }
        finished = true;
        KeyOutcome obstacle = takeKeys();
        if (obstacle != null) {
            settle(send, obstacle);
            settle(receive, obstacle);
        } else {
            proveByFirst(send);
            proveByFirst(receive);
        }
    }

    private static void restart(Way way) {
        way.sequence = 0;
        way.first = null;
    }

    private static void proveByFirst(Way way) {
        if (way.first != null) {
            settle(
                    way,
                    way.keys.opens(ByteBuffer.wrap(way.first), 0)
                            ? KeyOutcome.PROVED
                            : KeyOutcome.UNPROVED);
        }
    }

    /** All that the engine had to send when it finished is sent. */
    void handshakeSent() {
        send.protectedNow = true;
    }

    private KeyOutcome takeKeys() {
        Suite suite = Suite.of(engine.getSession().getCipherSuite());
        if (suite == null) {
            return KeyOutcome.OTHER_SUITE;
        }
        if (ConscryptInternals.missing() != null) {
            return KeyOutcome.OTHER_CONSCRYPT;
        }
        return tls13 ? takeKeys13(suite) : takeKeys12(suite);
    }

    // ---- TLS 1.2 ----

    private static final int MASTER = 48; // bytes
    private static final int MASTER_ELEMENT = 4; // of SSL_SESSION's DER, from 0
    private static final int OCTET_STRING = 4;

    private KeyOutcome takeKeys12(Suite suite) {
        byte[] master = masterSecret();
        if (master == null) {
            return KeyOutcome.OTHER_CONSCRYPT;
        }
        byte[] block =
                new KeySchedule(suite)
                        .keyBlock(
                                master,
                                Arrays.copyOf(randoms, SecretLayout.RANDOM),
                                Arrays.copyOfRange(randoms, SecretLayout.RANDOM, randoms.length),
                                2 * (suite.keyLength + suite.fixedLength));
        Arrays.fill(master, (byte) 0);
        int keys = 2 * suite.keyLength;
        TrafficKeys ofClient = TrafficKeys.ofBlock(suite, block, 0, keys);
        TrafficKeys ofServer =
                TrafficKeys.ofBlock(suite, block, suite.keyLength, keys + suite.fixedLength);
        Arrays.fill(block, (byte) 0);
        send.keys = client ? ofClient : ofServer;
        receive.keys = client ? ofServer : ofClient;
        return null;
    }

    /** From its place, if that is known, lest a copy be left behind; else by way of DER. */
    private byte[] masterSecret() {
        SecretLayout layout = SecretLayout.present();
        if (layout != null && layout.master() >= 0) {
            ByteBuffer scratch = STATES.take();
            byte[] master = new byte[MASTER];
            try {
                ByteBuffer read = scratch.slice(0, MASTER);
                if (ConscryptInternals.readSession(engine, layout.master(), read) == MASTER) {
                    read.get(master);
                    return master;
                }
            } finally {
                SecretLayout.zero(scratch);
                STATES.give(scratch);
            }
        }
        byte[] session = ConscryptInternals.sessionOf(engine);
        byte[] secret = secretOf(session);
        Arrays.fill(session, (byte) 0);
        return secret != null && secret.length == MASTER ? secret : null;
    }

    /** The element of a session's DER that is its secret, TLS 1.2's master; null: it is none. */
    static byte[] secretOf(byte[] session) {
        ByteBuffer der = ByteBuffer.wrap(session);
        if (session.length < 2 || der.get() != 0x30) {
            return null;
        }
        derLength(der);
        for (int i = 0; der.remaining() > 2; i++) {
            int tag = der.get();
            int length = derLength(der);
            if (length < 0 || length > der.remaining()) {
                return null;
            }
            if (i == MASTER_ELEMENT) {
                if (tag != OCTET_STRING) {
                    return null;
                }
                byte[] secret = new byte[length];
                der.get(secret);
                return secret;
            }
            der.position(der.position() + length);
        }
        return null;
    }

    private static int derLength(ByteBuffer der) {
        int first = der.get() & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = first & 0x7f; i > 0 && der.hasRemaining(); i--) {
            length = (length << 8) | (der.get() & 0xff);
        }
        return length;
    }

    // ---- TLS 1.3 ----

    private static final Pool<ByteBuffer> STATES =
            new Pool<>(() -> ByteBuffer.allocateDirect(SecretLayout.STATE_WINDOW));

    private KeyOutcome takeKeys13(Suite suite) {
        if (!OwnMemory.isReadable()) {
            return KeyOutcome.NO_MEMORY;
        }
        SecretLayout layout = SecretLayout.present();
        if (layout == null) {
            return KeyOutcome.NO_LAYOUT;
        }
        ByteBuffer state = STATES.take();
        byte[] secret = new byte[suite.hashLength];
        try {
            if (!layout.readStateOf(ConscryptInternals.sslOf(engine), randoms, state)
                    || state.limit() < Math.max(layout.write(), layout.read()) + secret.length) {
                return KeyOutcome.OTHER_LAYOUT;
            }
            state.get(layout.write(), secret);
            send.keys = TrafficKeys.ofSecret(suite, secret);
            state.get(layout.read(), secret);
            receive.keys = TrafficKeys.ofSecret(suite, secret);
            return null;
        } finally {
            Arrays.fill(secret, (byte) 0);
            SecretLayout.zero(state);
            STATES.give(state);
        }
    }

    /** Zeroes what keys there are; what was never settled is counted. */
    void close() {
        for (Way way : new Way[] {send, receive}) {
            if (finished && way.outcome == null) {
                settle(way, KeyOutcome.NO_RECORD);
            }
            if (way.keys != null) {
                way.keys.close();
                way.keys = null;
                way.outcome = KeyOutcome.NO_RECORD;
            }
        }
    }
}
