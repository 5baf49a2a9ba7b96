package io.loomuring.tls;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

import javax.crypto.BadPaddingException;
import javax.net.ssl.SSLEngine;

/**
 * The parts of Conscrypt that it keeps to itself, and nobody else names. They are of no fixed
 * shape: where one is missing no key is had, and TLS goes on without.
 */
final class ConscryptInternals {
    private ConscryptInternals() {}

    static final String PACKAGE = "org.conscrypt.";

    private static MethodHandle delegate; // (SSLEngine) -> the engine itself
    private static MethodHandle nativeSsl; // (engine) -> NativeSsl
    private static MethodHandle address; // (NativeSsl) -> SSL*
    private static MethodHandle session; // (SSL*, NativeSsl) -> SSL_SESSION*, a reference
    private static MethodHandle encode; // (SSL_SESSION*) -> DER
    private static MethodHandle free; // (SSL_SESSION*)
    private static MethodHandle open; // EVP_AEAD_CTX_open
    private static final Map<Suite, Long> AEADS = new EnumMap<>(Suite.class);

    /** Why they can't be used; null: they can. */
    private static final String MISSING = find();

    private static String find() {
        try {
            Class<?> crypto = Class.forName(PACKAGE + "NativeCrypto");
            Class<?> ssl = Class.forName(PACKAGE + "NativeSsl");
            Class<?> engine = Class.forName(PACKAGE + "ConscryptEngine");
            Class<?> wrapper = Class.forName(PACKAGE + "Java8EngineWrapper");
            delegate =
                    method(wrapper, "getDelegate", SSLEngine.class)
                            .asType(MethodType.methodType(Object.class, SSLEngine.class));
            nativeSsl = getter(engine, "ssl", ssl, Object.class);
            address = getter(ssl, "ssl", long.class, long.class);
            session =
                    method(crypto, "SSL_get1_session", long.class, ssl)
                            .asType(MethodType.methodType(long.class, long.class, Object.class));
            encode = method(crypto, "i2d_SSL_SESSION", long.class);
            free = method(crypto, "SSL_SESSION_free", long.class);
            open =
                    method(
                            crypto,
                            "EVP_AEAD_CTX_open",
                            long.class,
                            byte[].class,
                            int.class,
                            byte[].class,
                            int.class,
                            byte[].class,
                            byte[].class,
                            int.class,
                            int.class,
                            byte[].class);
            for (Suite suite : Suite.values()) {
                AEADS.put(suite, (long) method(crypto, suite.aead).invoke());
            }
            return null;
        } catch (Throwable e) {
            return "this Conscrypt has another shape: " + e;
        }
    }

    static MethodHandle method(Class<?> owner, String name, Class<?>... parameters)
            throws ReflectiveOperationException {
        Method method = owner.getDeclaredMethod(name, parameters);
        method.setAccessible(true);
        return MethodHandles.lookup().unreflect(method);
    }

    static MethodHandle getter(Class<?> owner, String name, Class<?> type, Class<?> generic)
            throws ReflectiveOperationException {
        Field field = owner.getDeclaredField(name);
        if (field.getType() != type) {
            throw new NoSuchFieldException(field + " of type " + type);
        }
        field.setAccessible(true);
        return MethodHandles.lookup()
                .unreflectGetter(field)
                .asType(MethodType.methodType(generic, Object.class));
    }

    /** Why they can't be used; null: they can. */
    static String missing() {
        return MISSING;
    }

    /** Conscrypt's own engine, of which ours is a wrapper. */
    static Object engineOf(SSLEngine engine) throws Throwable {
        return (Object) delegate.invokeExact(engine);
    }

    static Object nativeSslOf(SSLEngine engine) throws Throwable {
        return (Object) nativeSsl.invokeExact(engineOf(engine));
    }

    /** The address of an engine's {@code SSL}; 0: it is gone. Valid while the engine lives. */
    static long sslOf(SSLEngine engine) {
        try {
            return (long) address.invokeExact(nativeSslOf(engine));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** What is done with a session while there is a reference to it. */
    private interface SessionUse<T> {
        T of(long pointer) throws Throwable;
    }

    private static <T> T withSession(SSLEngine engine, SessionUse<T> use) {
        try {
            Object ssl = nativeSslOf(engine);
            long pointer = (long) session.invokeExact((long) address.invokeExact(ssl), ssl);
            try {
                return use.of(pointer);
            } finally {
                free.invokeExact(pointer);
            }
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * The engine's session as DER, secrets and all: the caller zeroes it. JNI leaves a copy behind
     * in freed memory, which nobody zeroes.
     */
    static byte[] sessionOf(SSLEngine engine) {
        return withSession(engine, pointer -> (byte[]) encode.invokeExact(pointer));
    }

    /** As {@link OwnMemory#read}, from an offset in the engine's {@code SSL_SESSION}. */
    static int readSession(SSLEngine engine, int offset, ByteBuffer target) {
        return withSession(engine, pointer -> OwnMemory.read(pointer + offset, target));
    }

    /** Whether the tag of what is sealed, from there to the end, is right. */
    static boolean opens(
            Suite suite, byte[] key, byte[] nonce, byte[] sealed, int from, byte[] additional) {
        byte[] plain = new byte[sealed.length - from];
        try {
            int _ =
                    (int)
                            open.invokeExact(
                                    (long) AEADS.get(suite),
                                    key,
                                    Suite.TAG,
                                    plain,
                                    0,
                                    nonce,
                                    sealed,
                                    from,
                                    sealed.length - from,
                                    additional);
            return true;
        } catch (BadPaddingException e) {
            return false;
        } catch (Throwable e) {
            throw unexpected(e);
        } finally {
            Arrays.fill(plain, (byte) 0);
        }
    }

    static IllegalStateException unexpected(Throwable e) {
        return new IllegalStateException("Conscrypt: " + e, e);
    }
}
