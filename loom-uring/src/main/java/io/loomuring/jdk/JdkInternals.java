package io.loomuring.jdk;

import jdk.internal.access.JavaLangAccess;
import jdk.internal.access.SharedSecrets;
import jdk.internal.misc.CDS;
import jdk.internal.misc.Unsafe;
import jdk.internal.vm.ContinuationSupport;

import sun.nio.ch.Interruptible;
import sun.nio.ch.NativeThread;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.channels.spi.SelectorProvider;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadFactory;

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
                    "java.net",
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
    private static final String MXBEAN_CLASS =
            "com.sun.management.internal.VirtualThreadSchedulerImpls"
                    + "$VirtualThreadSchedulerImpl$Scheduler";

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
        checkHook(schedulerClass(), SCHEDULER_FIELD);
    }

    /** Looks at a field's shape without touching its class. */
    static void checkHook(Class<?> holder, String name) throws UnsupportedJdkException {
        String hook = holder.getName() + "." + name;
        try {
            Field field = holder.getDeclaredField(name);
            int modifiers = field.getModifiers();
            if (field.getType() != ForkJoinPool.class || !Modifier.isStatic(modifiers)) {
                throw new UnsupportedJdkException(hook + " is not a static ForkJoinPool", null);
            }
        } catch (NoSuchFieldException e) {
            throw new UnsupportedJdkException(hook + " does not exist in this JDK", e);
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
     * @return the scheduler before
     * @throws UnsupportedJdkException if the field can't be set, or compiled code not be dropped
     */
    public static ForkJoinPool setDefaultScheduler(ForkJoinPool pool)
            throws UnsupportedJdkException {
        boolean unused = isUninitialized(schedulerClass());
        var before = (ForkJoinPool) schedulerField(true, pool);
        if (!unused) {
            forgetConstants(schedulerClass());
            tellMXBean(pool);
        }
        return before;
    }

    /**
     * Throws away compiled code that has folded a class's static final fields in. While a run is
     * recorded for an AOT cache, by redefining another class: the JVM can't assemble the cache if
     * one of its own classes was redefined, and the first redefinition of any throws all code away.
     */
    private static void forgetConstants(Class<?> type) throws UnsupportedJdkException {
        int error = retransform(isRecordingCache() ? Bystander.class : type);
        if (error != 0) {
            throw new UnsupportedJdkException(
                    "retransforming " + type.getName() + " failed with JVMTI error " + error, null);
        }
    }

    private static final class Bystander {}

    /** Whether this run is a training run for an AOT cache. */
    static boolean isRecordingCache() {
        return CDS.isDumpingStaticArchive();
    }

    /** The MXBean keeps the pool that it saw at its first use. */
    private static void tellMXBean(ForkJoinPool pool) throws UnsupportedJdkException {
        try {
            Class<?> holder = Class.forName(MXBEAN_CLASS, false, null);
            if (!isUninitialized(holder)) {
                staticField(holder, "scheduler", Executor.class.descriptorString(), true, pool);
                forgetConstants(holder);
            }
        } catch (ClassNotFoundException e) {
            // this JDK comes without MXBeans
        } catch (LinkageError e) {
            throw new UnsupportedJdkException(MXBEAN_CLASS + ".scheduler can't be reached", e);
        }
    }

    /**
     * Checks that virtual threads which the calling platform thread creates get a scheduler.
     *
     * @throws UnsupportedJdkException if they get another one
     */
    public static void checkNewThreadsUse(ForkJoinPool pool) throws UnsupportedJdkException {
        Thread thread = Thread.ofVirtual().unstarted(() -> {});
        Object found;
        try {
            Unsafe unsafe = Unsafe.getUnsafe();
            found =
                    unsafe.getReference(
                            thread, unsafe.objectFieldOffset(schedulerClass(), "scheduler"));
        } catch (InternalError e) {
            throw new UnsupportedJdkException(SCHEDULER_CLASS + ".scheduler does not exist", e);
        }
        if (!pool.equals(found)) {
            throw new UnsupportedJdkException("new virtual threads still get " + found, null);
        }
    }

    /**
     * The default scheduler if it is of this class but of another class loader: another copy of
     * this library carries the JVM; else null. Needs no native code: what that copy has opened is
     * open to all.
     */
    public static ForkJoinPool schedulerOfAnotherCopy(String className)
            throws UnsupportedJdkException {
        Module base = Object.class.getModule();
        Module own = JdkInternals.class.getModule();
        if (!PACKAGES.stream().allMatch(name -> base.isOpen(name, own))
                || isUninitialized(schedulerClass())) {
            return null;
        }
        try {
            Field field = schedulerClass().getDeclaredField(SCHEDULER_FIELD);
            field.setAccessible(true);
            var pool = (ForkJoinPool) field.get(null);
            ClassLoader loader = pool.getClass().getClassLoader();
            boolean copy =
                    pool.getClass().getName().equals(className)
                            && !Objects.equals(loader, JdkInternals.class.getClassLoader());
            return copy ? pool : null;
        } catch (ReflectiveOperationException e) {
            throw new UnsupportedJdkException(
                    SCHEDULER_CLASS + "." + SCHEDULER_FIELD + " can't be read", e);
        }
    }

    /** What all copies of this library in a JVM can lock. */
    public static Object lockOfThisJvm() throws UnsupportedJdkException {
        return schedulerClass();
    }

    /**
     * A factory of virtual threads that have a scheduler of their own, whoever creates them. Their
     * descendants inherit it.
     *
     * @throws UnsupportedJdkException if this JDK has no such threads
     */
    public static ThreadFactory threadFactory(Executor scheduler) throws UnsupportedJdkException {
        MethodHandle newVirtualThread;
        try {
            Class<?> builders = Class.forName("java.lang.ThreadBuilders");
            newVirtualThread =
                    MethodHandles.privateLookupIn(builders, MethodHandles.lookup())
                            .findStatic(
                                    builders,
                                    "newVirtualThread",
                                    MethodType.methodType(
                                            Thread.class,
                                            Executor.class,
                                            String.class,
                                            int.class,
                                            Runnable.class));
        } catch (ReflectiveOperationException e) {
            throw new UnsupportedJdkException(
                    "java.lang.ThreadBuilders.newVirtualThread does not exist", e);
        }
        return task -> {
            Objects.requireNonNull(task);
            try {
                return (Thread) newVirtualThread.invokeExact(scheduler, (String) null, 0, task);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e); // it declares none
            }
        };
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

    /** Whether the JDK has looked for its selector provider, and so will not do so again. */
    public static boolean isSelectorProviderLoaded() throws UnsupportedJdkException {
        return !isUninitialized(providerHolder());
    }

    /** Makes {@code SelectorProvider.provider()} answer with ours, if another was there before. */
    public static void setSelectorProvider(SelectorProvider provider)
            throws UnsupportedJdkException {
        boolean unused = isUninitialized(providerHolder());
        try {
            staticField(
                    providerHolder(),
                    "INSTANCE",
                    SelectorProvider.class.descriptorString(),
                    true,
                    provider);
        } catch (LinkageError e) {
            throw new UnsupportedJdkException("SelectorProvider.Holder can't be reached", e);
        }
        if (!unused) {
            forgetConstants(SelectorProvider.class); // whose code reads the holder's field
        }
    }

    /** Without initialising it. */
    private static Class<?> providerHolder() throws UnsupportedJdkException {
        try {
            return Class.forName(SelectorProvider.class.getName() + "$Holder", false, null);
        } catch (ClassNotFoundException e) {
            throw new UnsupportedJdkException("SelectorProvider.Holder does not exist", e);
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
                            MethodType.methodType(void.class))
                    .invokeExact();
        } catch (Throwable e) {
            throw new UnsupportedJdkException("native access can't be enabled", e);
        }
    }

    /** Calls that link against opened packages; loaded on first use, after {@link #open}. */
    public static final class Threads {
        private Threads() {}

        private static final JavaLangAccess LANG = SharedSecrets.getJavaLangAccess();

        /** Whether this JVM can unmount a virtual thread, or has a platform thread for each. */
        public static boolean canUnmount() {
            return ContinuationSupport.isSupported();
        }

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

        /**
         * Sends a native thread a signal that does nothing but end a system call with {@code
         * EINTR}. The thread must not have ended.
         */
        public static void signal(long nativeThread) {
            NativeThread.signal(nativeThread);
        }
    }

    /** Memory outside of the heap, by {@code malloc}: for what lives as long as a descriptor. */
    public static final class NativeMemory {
        private NativeMemory() {}

        private static final Unsafe UNSAFE = Unsafe.getUnsafe();

        /**
         * Zeroed memory, aligned to 16 bytes.
         *
         * @throws OutOfMemoryError if the system has none
         */
        public static long allocate(int bytes) {
            long address = UNSAFE.allocateMemory(bytes);
            UNSAFE.setMemory(address, bytes, (byte) 0);
            return address;
        }

        /** Gives memory back, once: nobody uses it any more, nor does the kernel. */
        public static void free(long address) {
            UNSAFE.freeMemory(address);
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
