package io.loomuring.jdk;

import jdk.internal.access.JavaLangAccess;
import jdk.internal.access.SharedSecrets;
import jdk.internal.misc.Unsafe;

import sun.nio.ch.Interruptible;
import sun.nio.ch.NativeThread;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.channels.spi.SelectorProvider;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/**
 * The JDK's internals that carry this project, checked by shape before they are used.
 *
 * <p>{@link #open} comes first, after the native library is loaded: it opens the packages that the
 * nested classes, {@code SunNet}, the carriers and the channels link against.
 */
public final class JdkInternals {
    private JdkInternals() {}

    private static final List<String> PACKAGES =
            List.of(
                    "java.lang",
                    "java.nio.channels.spi",
                    "jdk.internal.access",
                    "jdk.internal.event",
                    "jdk.internal.misc",
                    "jdk.internal.ref",
                    "jdk.internal.util",
                    "jdk.internal.vm",
                    "sun.net",
                    "sun.net.ext",
                    "sun.net.util",
                    "sun.nio.ch");

    private static final String SCHEDULER_CLASS = "java.lang.VirtualThread";
    private static final String SCHEDULER_FIELD = "DEFAULT_SCHEDULER";

    private static native void openToAllUnnamed(Module module, String packageName);

    private static native Object staticField(
            Class<?> holder, String name, String signature, boolean set, Object value);

    private static native int retransform(Class<?> target);

    private static native int redefine0(Class<?>[] targets, byte[][] classFiles);

    /**
     * Opens the packages of {@code java.base} that this project uses to unnamed modules.
     *
     * @throws UnsupportedJdkException if this JDK lacks the means
     */
    public static void open() throws UnsupportedJdkException {
        try {
            for (String name : PACKAGES) {
                openToAllUnnamed(Object.class.getModule(), name);
            }
        } catch (LinkageError e) {
            throw new UnsupportedJdkException("java.base can't be opened: " + e.getMessage(), e);
        }
    }

    /**
     * Checks that the scheduler hook has the shape of JDK 25: {@code private static final
     * ForkJoinPool VirtualThread.DEFAULT_SCHEDULER}.
     *
     * @throws UnsupportedJdkException if it has another
     */
    public static void checkSchedulerHook() throws UnsupportedJdkException {
        try {
            Field field = schedulerClass().getDeclaredField(SCHEDULER_FIELD);
            if (field.getType() != ForkJoinPool.class || !Modifier.isStatic(field.getModifiers())) {
                throw new UnsupportedJdkException(
                        SCHEDULER_CLASS + "." + SCHEDULER_FIELD + " is not a static ForkJoinPool",
                        null);
            }
        } catch (ReflectiveOperationException e) {
            throw new UnsupportedJdkException(
                    SCHEDULER_CLASS + "." + SCHEDULER_FIELD + " does not exist in this JDK", e);
        }
    }

    /** The scheduler of virtual threads that platform threads create. */
    public static ForkJoinPool defaultScheduler() throws UnsupportedJdkException {
        return (ForkJoinPool) schedulerField(false, null);
    }

    /**
     * Makes a pool the scheduler of every virtual thread created from now on, by threads that do
     * not inherit another one. Code that was compiled with the old pool folded in is thrown away;
     * there is none, and 20 ms are spared, if nobody has used virtual threads yet.
     *
     * @throws UnsupportedJdkException if the field can't be set, or compiled code not be dropped
     */
    public static void setDefaultScheduler(ForkJoinPool pool) throws UnsupportedJdkException {
        boolean unused = isUninitialized(schedulerClass());
        schedulerField(true, pool);
        if (unused) {
            return;
        }
        int error = retransform(schedulerClass());
        if (error != 0) {
            throw new UnsupportedJdkException(
                    "retransforming " + SCHEDULER_CLASS + " failed with JVMTI error " + error,
                    null);
        }
    }

    private static Object schedulerField(boolean set, ForkJoinPool pool)
            throws UnsupportedJdkException {
        try {
            return staticField(
                    schedulerClass(),
                    SCHEDULER_FIELD,
                    ForkJoinPool.class.descriptorString(),
                    set,
                    pool);
        } catch (LinkageError e) {
            throw new UnsupportedJdkException(
                    SCHEDULER_CLASS + "." + SCHEDULER_FIELD + " can't be reached", e);
        }
    }

    /** Without initialising it. */
    private static Class<?> schedulerClass() throws UnsupportedJdkException {
        try {
            return Class.forName(SCHEDULER_CLASS, false, null);
        } catch (ClassNotFoundException e) {
            throw new UnsupportedJdkException(SCHEDULER_CLASS + " does not exist", e);
        }
    }

    private static boolean isUninitialized(Class<?> type) {
        return Unsafe.getUnsafe().shouldBeInitialized(type);
    }

    /**
     * Makes {@code SelectorProvider.provider()} answer with ours, whether or not the JDK has asked
     * for it before.
     */
    public static void setSelectorProvider(SelectorProvider provider)
            throws UnsupportedJdkException {
        try {
            Class<?> holder =
                    Class.forName(SelectorProvider.class.getName() + "$Holder", true, null);
            staticField(
                    holder, "INSTANCE", SelectorProvider.class.descriptorString(), true, provider);
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new UnsupportedJdkException("SelectorProvider.Holder can't be reached", e);
        }
    }

    /**
     * Gives classes new bodies for their methods, all of them or none.
     *
     * @throws UnsupportedJdkException if the JVM refuses
     */
    static void redefine(Class<?>[] targets, byte[][] classFiles) throws UnsupportedJdkException {
        int error = redefine0(targets, classFiles);
        if (error != 0) {
            throw new UnsupportedJdkException(
                    "redefining " + Arrays.toString(targets) + " failed with JVMTI error " + error,
                    null);
        }
    }

    /** Lets every unnamed module load native code without a warning. */
    public static void enableNativeAccess() throws UnsupportedJdkException {
        try {
            var lookup = MethodHandles.privateLookupIn(Module.class, MethodHandles.lookup());
            lookup.findStatic(
                            Module.class,
                            "implAddEnableNativeAccessToAllUnnamed",
                            java.lang.invoke.MethodType.methodType(void.class))
                    .invokeExact();
        } catch (Throwable e) {
            throw new UnsupportedJdkException("native access can't be enabled", e);
        }
    }

    /** Calls that link against opened packages; loaded on first use, after {@link #open}. */
    public static final class Threads {
        private Threads() {}

        private static final JavaLangAccess LANG = SharedSecrets.getJavaLangAccess();

        /** The platform thread beneath the caller: itself, or the carrier of a virtual thread. */
        public static Thread currentCarrier() {
            return LANG.currentCarrierThread();
        }

        /** What an interrupt of the calling thread tells, besides setting its status; or null. */
        public static void blockedOn(Interruptible blocker) {
            LANG.blockedOn(blocker);
        }

        /** The JDK's name for the native thread that the caller, a platform thread, is. */
        public static long nativeThread() {
            return NativeThread.current();
        }
    }

    /** This JDK's internals have another shape than those of JDK 25. */
    public static final class UnsupportedJdkException extends Exception {
        private static final long serialVersionUID = 1L;

        UnsupportedJdkException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
