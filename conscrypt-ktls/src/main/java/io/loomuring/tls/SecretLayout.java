package io.loomuring.tls;

import org.conscrypt.Conscrypt;
import org.conscrypt.HandshakeListener;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Where this build of BoringSSL keeps the traffic secrets of TLS 1.3, and a session's secret. Found
 * once a process, by a handshake with ourselves: the places are those whose bytes open a record of
 * the wire, and those that the session's DER has. It is only a hint: what is read there is proved
 * anew on every connection.
 *
 * @param state offset in {@code SSL} of the pointer to {@code SSL3_STATE}
 * @param write offset in {@code SSL3_STATE} of the secret that protects what is sent
 * @param read offset there of the secret that protects what is received
 * @param master offset in {@code SSL_SESSION} of TLS 1.2's master secret; -1: not found
 */
record SecretLayout(int state, int write, int read, int master) {
    static final int SSL_WINDOW = 0x60; // bytes of SSL that are looked at
    static final int STATE_WINDOW = 0x300; // bytes of SSL3_STATE that are looked at
    private static final int SESSION_WINDOW = 0x100; // bytes of SSL_SESSION that are looked at
    static final int RANDOMS_AT = 0x10; // server_random, client_random
    static final int RANDOM = 32; // bytes

    private static final long USER_SPACE_END = 1L << 47;

    private static final class Holder {
        /** Null: not found. */
        static volatile SecretLayout layout = calibrate();
    }

    /** Null: not found in this process. */
    static SecretLayout present() {
        return Holder.layout;
    }

    /** For tests. */
    static void replace(SecretLayout layout) {
        Holder.layout = layout;
    }

    static SecretLayout calibrate() {
        if (ConscryptInternals.missing() != null || !OwnMemory.isReadable()) {
            return null;
        }
        try {
            var pair = new Pair();
            try {
                SecretLayout client = pair.client.locate();
                SecretLayout server = pair.server.locate();
                return client != null && client.equals(server) ? client : null;
            } finally {
                zero(pair.client.state);
                zero(pair.server.state);
            }
        } catch (IOException | GeneralSecurityException | IllegalStateException e) {
            return null;
        }
    }

    /**
     * The address of the {@code SSL3_STATE} of an {@code SSL}, which holds these randoms.
     *
     * @param scratch of {@link #STATE_WINDOW} bytes off the heap; holds the state then
     * @return the pointer's offset; -1: none of the pointers' targets has them
     */
    static int findState(long ssl, byte[] randoms, ByteBuffer scratch) {
        ByteBuffer pointers = ByteBuffer.allocateDirect(SSL_WINDOW).order(ByteOrder.nativeOrder());
        int length = OwnMemory.read(ssl, pointers);
        for (int at = 0; at + Long.BYTES <= length; at += Long.BYTES) {
            if (readState(pointers.getLong(at), randoms, scratch)) {
                return at;
            }
        }
        return -1;
    }

    private static boolean readState(long pointer, byte[] randoms, ByteBuffer scratch) {
        if (pointer <= 0 || pointer >= USER_SPACE_END || pointer % Long.BYTES != 0) {
            return false;
        }
        return OwnMemory.read(pointer, scratch) >= RANDOMS_AT + randoms.length
                && ByteBuffer.wrap(randoms).equals(scratch.slice(RANDOMS_AT, randoms.length));
    }

    /** Reads the state of an {@code SSL} where this layout says it is. */
    boolean readStateOf(long ssl, byte[] randoms, ByteBuffer scratch) {
        scratch.clear().limit(Long.BYTES);
        ByteBuffer pointer = scratch.slice(0, Long.BYTES).order(ByteOrder.nativeOrder());
        return OwnMemory.read(ssl + state, pointer) == Long.BYTES
                && readState(pointer.getLong(0), randoms, scratch);
    }

    /** What was read by a guess may be another connection's secret. */
    static void zero(ByteBuffer memory) {
        MemorySegment.ofBuffer(memory.clear()).fill((byte) 0);
    }

    // ---- calibration ----

    /** One side of a handshake with ourselves. */
    private static final class Side {
        private final SSLEngine engine;
        private final byte[] randoms = new byte[2 * RANDOM];
        private final ByteBuffer state = ByteBuffer.allocateDirect(STATE_WINDOW);
        private boolean finished;
        private ByteBuffer sent; // the first record of data
        private ByteBuffer received;

        Side(SSLEngine engine, boolean client) throws IOException {
            this.engine = engine;
            engine.setUseClientMode(client);
            engine.setEnabledProtocols(new String[] {"TLSv1.3"});
            Conscrypt.setHandshakeListener(
                    engine,
                    new HandshakeListener() {
                        @Override
                        public void onHandshakeFinished() {
                            finished = true;
                        }
                    });
            engine.beginHandshake();
        }

        SecretLayout locate() {
            Suite suite = Suite.of(engine.getSession().getCipherSuite());
            int pointer = findState(ConscryptInternals.sslOf(engine), randoms, state);
            if (suite == null || pointer < 0) {
                return null;
            }
            int write = find(suite, sent);
            int read = find(suite, received);
            return write < 0 || read < 0
                    ? null
                    : new SecretLayout(pointer, write, read, findMaster());
        }

        /** TLS 1.3 keeps a secret of its own there, for resumption. */
        private int findMaster() {
            byte[] secret = KeyCapture.secretOf(ConscryptInternals.sessionOf(engine));
            ByteBuffer session = ByteBuffer.allocateDirect(SESSION_WINDOW);
            int length = ConscryptInternals.readSession(engine, 0, session);
            try {
                if (secret == null || secret.length == 0) {
                    return -1;
                }
                for (int at = 0; at + secret.length <= length; at++) {
                    if (session.slice(at, secret.length).equals(ByteBuffer.wrap(secret))) {
                        return at;
                    }
                }
                return -1;
            } finally {
                zero(session);
            }
        }

        /** The first place: further on a neighbour's may lie, which has the same secrets. */
        private int find(Suite suite, ByteBuffer record) {
            byte[] secret = new byte[suite.hashLength];
            try {
                for (int at = 0; at + secret.length <= state.limit(); at++) {
                    state.get(at, secret);
                    try (TrafficKeys keys = TrafficKeys.ofSecret(suite, secret)) {
                        if (keys.opens(record, 0)) {
                            return at;
                        }
                    }
                }
                return -1;
            } finally {
                Arrays.fill(secret, (byte) 0);
            }
        }
    }

    private static final class Pair {
        private static final int CAPACITY = 20 << 10;
        private static final int STEPS_MAX = 100;

        final Side client;
        final Side server;
        private final ByteBuffer wire = ByteBuffer.allocateDirect(CAPACITY);
        private final ByteBuffer plain = ByteBuffer.allocateDirect(CAPACITY);

        Pair() throws IOException, GeneralSecurityException {
            SSLContext context = SSLContext.getInstance("TLSv1.3", Conscrypt.newProvider());
            context.init(keys().getKeyManagers(), new TrustManager[] {new TrustAll()}, null);
            client = new Side(context.createSSLEngine(), true);
            server = new Side(context.createSSLEngine(), false);
            for (int i = 0; !client.finished || !server.finished; i++) {
                if (i == STEPS_MAX) {
                    throw new IOException("no end of the handshake");
                }
                pass(client, server);
                pass(server, client);
            }
            pass(client, server);
            pass(server, client);
            client.sent = data(client);
            server.received = client.sent;
            server.sent = data(server);
            client.received = server.sent;
        }

        private void pass(Side from, Side to) throws IOException {
            wire.clear();
            int produced;
            do {
                plain.clear().limit(0);
                produced = from.engine.wrap(plain, wire).bytesProduced();
            } while (produced > 0);
            wire.flip();
            ByteBuffer records = wire.duplicate();
            ByteBuffer record;
            while ((record = TlsRecord.next(records)) != null) {
                noteRandoms(record);
                while (record.hasRemaining()) {
                    SSLEngineResult result = to.engine.unwrap(record, plain.clear());
                    if (result.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
                            && result.bytesConsumed() == 0) {
                        pass(to, from); // nothing else is on the wire
                    }
                }
            }
        }

        private void noteRandoms(ByteBuffer record) {
            boolean fromClient = Hellos.note(record, client.randoms);
            if (fromClient) {
                System.arraycopy(client.randoms, 0, server.randoms, 0, server.randoms.length);
            }
        }

        private ByteBuffer data(Side from) throws IOException {
            ByteBuffer record = ByteBuffer.allocateDirect(CAPACITY);
            from.engine.wrap(ByteBuffer.allocate(1), record);
            return record.flip();
        }
    }

    private static KeyManagerFactory keys() throws IOException, GeneralSecurityException {
        try (InputStream certificate = resource("calibration.crt");
                InputStream key = resource("calibration.key")) {
            Certificate[] chain = {
                CertificateFactory.getInstance("X.509").generateCertificate(certificate)
            };
            PrivateKey secret =
                    KeyFactory.getInstance("EC")
                            .generatePrivate(new PKCS8EncodedKeySpec(key.readAllBytes()));
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setKeyEntry("calibration", secret, new char[0], chain);
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, new char[0]);
            return factory;
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream found = SecretLayout.class.getResourceAsStream(name);
        if (found == null) {
            throw new IOException("the jar lacks " + name);
        }
        return found;
    }

    /** The peer is ourselves. */
    private static final class TrustAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            // see above
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
            // see above
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
