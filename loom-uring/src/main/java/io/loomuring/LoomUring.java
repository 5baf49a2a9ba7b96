package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.ChannelHook;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SocketImplHook;
import io.loomuring.jdk.SunNet;
import io.loomuring.net.KernelTls;
import io.loomuring.net.UringDatagramChannel;
import io.loomuring.net.UringSocketChannel;
import io.loomuring.net.UringSocketImpl;
import io.loomuring.observe.Counters;
import io.loomuring.ring.KernelFeatures;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;
import io.loomuring.ring.SqThread;

import java.nio.channels.spi.SelectorProvider;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;

/**
 * Installs the carriers in this JVM: every virtual thread created afterwards, unless it inherits
 * another scheduler, runs on them. Or {@link #threadFactory} alone: then only its threads do.
 *
 * <p>Installing happens once; the first caller does it, others wait for the result. It can happen
 * at any time: virtual threads created before stay on the JDK's scheduler, and so do their
 * descendants. If a copy of this library in another class loader has installed itself, that copy
 * goes on to carry the JVM, and this one passes on what it is asked. Installing can fail for many
 * honest reasons (seccomp, an old kernel, locked memory); {@code loomuring.mode} decides what
 * follows.
 */
public final class LoomUring {
    private LoomUring() {}

    static final String PROVIDER_PROPERTY = "java.nio.channels.spi.SelectorProvider";
    private static final String PROVIDER = UringSelectorProvider.class.getName();

    /** Completions outnumber submissions: thousands of parked readers complete in one turn. */
    private static final int COMPLETION_ENTRIES_FACTOR = 16;

    private static final int ENTRIES_MIN = 8; // below this a ring of halved entries is no use

    /** The kernel takes the locked memory of a closed ring off the user's account with a delay. */
    private static final long RELEASE_MILLIS = 100;

    private static CarrierGroup group; // guarded by the class; null until there are carriers
    private static OtherCopy other; // guarded by the class; what carries this JVM in our place
    private static boolean installed; // guarded by the class; they carry every virtual thread
    private static boolean explicit; // guarded by the class; the provider is threadFactory()'s
    private static boolean jdkOpen; // guarded by the class
    private static boolean socketsCarried; // guarded by the class
    private static int ringEntries; // guarded by the class; of each ring, 0 if there is none
    private static String unavailable; // guarded by the class; why not, once that is known

    /**
     * Installs the carriers and the channel provider, unless that was done before.
     *
     * @return whether they carry this JVM now; false: the JDK's own do, and one line on the error
     *     stream has said why (mode {@code auto}), or the mode is {@code off}
     * @throws IllegalStateException in mode {@code required} where io_uring can't be used
     * @throws IllegalArgumentException if a property can't be used
     */
    public static synchronized boolean install() {
        return installed || attempt(LoomUring::carryEveryThread);
    }

    /**
     * A factory of virtual threads that run on the carriers, and their descendants with them. It
     * starts the carriers and makes the channels ours, which serve any thread, but leaves the
     * scheduler of all other virtual threads as it is; {@link #install} may follow.
     *
     * <p>Where io_uring can't be used, the threads are the JDK's, as {@link #install} tells.
     *
     * @throws IllegalStateException in mode {@code required} where io_uring can't be used
     * @throws IllegalArgumentException if a property can't be used
     */
    public static synchronized ThreadFactory threadFactory() {
        var factory = new ThreadFactory[1];
        return attempt(config -> factory[0] = carriedThreads(config))
                ? factory[0]
                : Thread.ofVirtual().factory();
    }

    private static ThreadFactory carriedThreads(Config config)
            throws UnavailableException, UnsupportedJdkException {
        start(config);
        if (other != null) {
            return other.threadFactory();
        }
        ThreadFactory factory = JdkInternals.threadFactory(group);
        carrySockets();
        explicit |= !installed && !PROVIDER.equals(System.getProperty(PROVIDER_PROPERTY));
        UringSelectorProvider.use();
        return factory;
    }

    /** When the JDK loads the provider: whether its channels are to be ours, of this copy. */
    static synchronized boolean provideChannels() {
        return (explicit || install()) && group != null;
    }

    /** The provider of the copy that carries this JVM, or null. */
    static synchronized SelectorProvider otherProvider() {
        return other == null ? null : other.provider();
    }

    /** A step towards carrying this JVM. */
    @FunctionalInterface
    private interface Step {
        void take(Config config) throws UnavailableException, UnsupportedJdkException;
    }

    /** Takes a step as {@code loomuring.mode} wants it; tells whether it was taken. */
    private static boolean attempt(Step step) {
        Config config = Config.read(System.getProperties());
        if (config.mode() == Config.Mode.OFF) {
            return false;
        }
        if (config.tlsDefault()) {
            DefaultTls.install();
        }
        if (unavailable == null) {
            try {
                synchronized (JdkInternals.lockOfThisJvm()) { // one copy at a time
                    step.take(config);
                }
                return true;
            } catch (UnavailableException e) {
                unavailable = e.getMessage();
            } catch (UnsupportedJdkException e) {
                unavailable = Obstacle.of(e).line();
            }
            if (config.mode() == Config.Mode.AUTO) {
                System.err.println("loom-uring: not active: " + unavailable);
            }
        }
        if (config.mode() == Config.Mode.REQUIRED) {
            throw new IllegalStateException("loom-uring: required, but " + unavailable);
        }
        return false;
    }

    /** Why io_uring can't be used here, and the remedy. */
    private static final class UnavailableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnavailableException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Starts the carriers, unless they turn already or another copy carries this JVM. */
    private static void start(Config config) throws UnavailableException {
        if (group != null) {
            return;
        }
        try {
            other = OtherCopy.find();
            if (other != null) {
                return;
            }
            openJdk();
            if (!JdkInternals.Threads.canUnmount()) {
                throw unavailable(Obstacle.noContinuations(), null);
            }
            JdkInternals.checkSchedulerHook();
            SocketImplHook.check();
            ChannelHook.check();
            SunNet.check();
            List<String> missing = KernelFeatures.probe().missing();
            if (!missing.isEmpty()) {
                throw unavailable(Obstacle.missing(missing, Machine.read()), null);
            }
            CarrierGroup started = startGroup(config);
            CarrierIo.use(started);
            KernelTls.use(config.kernelTls(), config.kernelTlsZeroCopy(), config.kernelTlsNoPad());
            if (config.report()) {
                Runtime.getRuntime().addShutdownHook(new Thread(() -> report(started)));
            }
            group = started;
        } catch (LinkageError e) {
            throw unavailable(Obstacle.of(e), e);
        } catch (UnsupportedJdkException e) {
            throw unavailable(Obstacle.of(e), e);
        } catch (RingException e) {
            throw unavailable(Obstacle.of(e, Machine.read()), e);
        } catch (OutOfMemoryError | IllegalStateException e) {
            throw unavailable(Obstacle.ofCarriers(e), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static void carryEveryThread(Config config)
            throws UnavailableException, UnsupportedJdkException {
        start(config);
        if (other == null) {
            ForkJoinPool before = JdkInternals.setDefaultScheduler(group);
            try {
                checkNewThreads();
                UringSelectorProvider.use();
                carrySockets();
            } catch (UnavailableException | UnsupportedJdkException e) {
                JdkInternals.setDefaultScheduler(before); // all or nothing: the carriers idle
                throw e;
            }
        }
        installed = true;
        explicit = false;
    }

    /** Once nothing else can fail: it can't be taken back. */
    private static void carrySockets() throws UnsupportedJdkException {
        if (!socketsCarried) {
            ChannelHook.install(new UringSocketChannel.Hook()); // asks nothing of other channels
            SocketImplHook.install(
                    UringSocketImpl::create, UringDatagramChannel::openUninterruptible);
            socketsCarried = true;
        }
    }

    /** Whether the hook works; asked on a platform thread, since others inherit a scheduler. */
    private static void checkNewThreads() throws UnavailableException {
        CarrierGroup expected = group;
        var check =
                new FutureTask<Void>(() -> {
                    JdkInternals.checkNewThreadsUse(expected);
                    return null;
                });
        Thread.ofPlatform().daemon().name("loom-uring-check").start(check);
        try {
            check.get();
        } catch (ExecutionException e) {
            throw new UnavailableException(
                    e.getCause().getMessage()
                            + ": install before virtual threads are used, or with"
                            + " -javaagent:loom-uring.jar",
                    e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static UnavailableException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new UnavailableException("interrupted while starting", e);
    }

    private static UnavailableException unavailable(Obstacle obstacle, Throwable cause) {
        return new UnavailableException(obstacle.line(), cause);
    }

    /** Loads the native library and has it open the packages that this project uses; once. */
    static synchronized void openJdk() throws UnsupportedJdkException {
        if (!jdkOpen) {
            Native.load();
            JdkInternals.open();
            jdkOpen = true;
        }
    }

    private static CarrierGroup startGroup(Config config)
            throws RingException, InterruptedException {
        int entries = config.entries();
        while (true) {
            int tried = entries;
            var sqThread = new SqThread(config.sqIdleMillis());
            try {
                CarrierGroup started =
                        CarrierGroup.start(
                                config.carriers(),
                                config.carriersMax(),
                                config.stealing(),
                                (counters, cancelSink) ->
                                        new Ring(
                                                tried,
                                                tried * COMPLETION_ENTRIES_FACTOR,
                                                config.ringFlags(),
                                                sqThread,
                                                counters,
                                                cancelSink));
                ringEntries = tried;
                return started;
            } catch (RingException e) {
                if (e.errno() != Errno.ENOMEM || entries / 2 < ENTRIES_MIN) {
                    throw e;
                }
                entries /= 2; // locked memory is limited for each user: smaller rings may do
                Thread.sleep(RELEASE_MILLIS);
            }
        }
    }

    private static void report(CarrierGroup carriers) {
        Counters counters = carriers.counters();
        System.err.println("loom-uring: ring operations: " + counters.operations);
        System.err.println("loom-uring: ring entries: " + ringEntries());
        System.err.println("loom-uring: " + counters.toMap());
    }

    /** Submission entries of each ring: fewer than asked for if locked memory is scarce. */
    static synchronized int ringEntries() {
        return ringEntries;
    }

    /** What the rings and carriers did so far, summed; zeros if they don't carry this JVM. */
    public static synchronized Counters counters() {
        if (other != null) {
            return other.counters();
        }
        return group == null ? new Counters() : group.counters();
    }
}
