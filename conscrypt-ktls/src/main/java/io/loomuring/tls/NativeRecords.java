package io.loomuring.tls;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * BoringSSL's record layer of an open connection, called by the same four methods as Conscrypt's
 * engine calls it, without what the engine does around each: it asks JNI for a buffer's address
 * (two calls into the VM and one back), counts what is pending on both sides and makes a result. A
 * short message costs 0.58 us so, sealed and opened, and 1.06 us by the engine.
 *
 * <p>Under the engine's own lock, so that the engine may be used beside it. Any thread.
 */
final class NativeRecords {
    /** In place of a count: the peer said close_notify, or the engine is closed. */
    static final int CLOSED = -1;

    private static final int WANT_READ = -2; // SSL_ERROR_WANT_READ of openssl/ssl.h, negative
    private static final int ZERO_RETURN = -6; // SSL_ERROR_ZERO_RETURN

    private record Methods(
            MethodHandle lock, // (engine) -> the object that the engine synchronizes on
            MethodHandle bio, // (engine) -> NativeSsl.BioWrapper
            MethodHandle isClosed, // (NativeSsl) -> boolean
            MethodHandle read, // (NativeSsl, address, bytes) -> bytes, or an error
            MethodHandle write, // likewise
            MethodHandle bioRead, // (BioWrapper, address, bytes) -> bytes
            MethodHandle bioWrite) {} // likewise

    private static final Methods METHODS = find(); // null: this Conscrypt has another shape

    private static volatile boolean switchedOff; // by a test

    private final Object lock;
    private final Object ssl;
    private final Object bio;

    private NativeRecords(Object lock, Object ssl, Object bio) {
        this.lock = lock;
        this.ssl = ssl;
        this.bio = bio;
    }

    private static Methods find() {
        if (ConscryptInternals.missing() != null) {
            return null;
        }
        try {
            Class<?> engine = Class.forName(ConscryptInternals.PACKAGE + "ConscryptEngine");
            Class<?> ssl = Class.forName(ConscryptInternals.PACKAGE + "NativeSsl");
            Class<?> bio = Class.forName(ssl.getName() + "$BioWrapper");
            return new Methods(
                    ConscryptInternals.getter(engine, "stateLock", Object.class, Object.class),
                    ConscryptInternals.getter(engine, "networkBio", bio, Object.class),
                    ConscryptInternals.method(ssl, "isClosed")
                            .asType(MethodType.methodType(boolean.class, Object.class)),
                    transfer(ssl, "readDirectByteBuffer"),
                    transfer(ssl, "writeDirectByteBuffer"),
                    transfer(bio, "readDirectByteBuffer"),
                    transfer(bio, "writeDirectByteBuffer"));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    private static MethodHandle transfer(Class<?> owner, String name)
            throws ReflectiveOperationException {
        return ConscryptInternals.method(owner, name, long.class, int.class)
                .asType(MethodType.methodType(int.class, Object.class, long.class, int.class));
    }

    /** For tests, of connections that open from now on: records by the engine. */
    static void switchOff(boolean off) {
        switchedOff = off;
    }

    /** Of an engine whose handshake is done; null: its records are for the engine to do. */
    static NativeRecords of(SSLEngine engine) {
        if (METHODS == null || switchedOff) {
            return null;
        }
        try {
            Object itself = ConscryptInternals.engineOf(engine);
            return new NativeRecords(
                    (Object) METHODS.lock.invokeExact(itself),
                    ConscryptInternals.nativeSslOf(engine),
                    (Object) METHODS.bio.invokeExact(itself));
        } catch (Throwable e) {
            throw ConscryptInternals.unexpected(e);
        }
    }

    /**
     * Opens the record between the cipher buffer's position and limit; its content is put into the
     * plain buffer.
     *
     * @return bytes of content; 0: it was none of data; or {@link #CLOSED}
     * @throws SSLException if it can't be opened: the alert waits in the engine
     */
    int open(EngineBuffers buffers) throws SSLException {
        long record = buffers.cipherAddress + buffers.cipher.position();
        int length = buffers.cipher.remaining();
        try {
            synchronized (lock) {
                if ((boolean) METHODS.isClosed.invokeExact(ssl)) {
                    return CLOSED;
                }
                int given = (int) METHODS.bioWrite.invokeExact(bio, record, length);
                if (given != length) {
                    throw new SSLException("the engine takes no record");
                }
                int count =
                        (int)
                                METHODS.read.invokeExact(
                                        ssl, buffers.plainAddress, buffers.plain.capacity());
                if (count > 0) {
                    buffers.plain.position(count);
                    return count;
                }
                return switch (count) {
                    case WANT_READ -> 0;
                    case ZERO_RETURN -> CLOSED;
                    default -> throw new SSLException("SSL_read: " + count);
                };
            }
        } catch (Throwable e) {
            throw asSslException(e);
        }
    }

    /**
     * Seals the content between the plain buffer's position and limit as one record; what is to be
     * sent is put into the cipher buffer, more than that if more was waiting.
     *
     * @return bytes of content that were sealed; 0: none, the engine is closed or full
     */
    int seal(EngineBuffers buffers) throws SSLException {
        long content = buffers.plainAddress + buffers.plain.position();
        int length = buffers.plain.remaining();
        try {
            synchronized (lock) {
                if ((boolean) METHODS.isClosed.invokeExact(ssl)) {
                    return 0;
                }
                int sealed = (int) METHODS.write.invokeExact(ssl, content, length);
                int count =
                        (int)
                                METHODS.bioRead.invokeExact(
                                        bio, buffers.cipherAddress, buffers.cipher.capacity());
                buffers.cipher.position(Math.max(count, 0));
                return Math.max(sealed, 0);
            }
        } catch (Throwable e) {
            throw asSslException(e);
        }
    }

    private static SSLException asSslException(Throwable e) {
        return switch (e) {
            case SSLException known -> known;
            case IOException other -> new SSLException(other);
            case Error error -> throw error;
            default -> throw ConscryptInternals.unexpected(e);
        };
    }
}
