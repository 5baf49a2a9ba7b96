package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SunNet;
import io.loomuring.observe.Counters;
import io.loomuring.ring.KernelFeatures;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import java.util.List;

/**
 * Installs the carriers in this JVM: every virtual thread created afterwards, unless it inherits
 * another scheduler, runs on them.
 *
 * <p>Installing happens once; the first caller does it, others wait for the result. It can fail for
 * many honest reasons (seccomp, an old kernel, locked memory); {@code loomuring.mode} decides what
 * follows.
 */
public final class LoomUring {
    private LoomUring() {}

    private static final String PROVIDER_PROPERTY = "java.nio.channels.spi.SelectorProvider";

    /** Completions outnumber submissions: thousands of parked readers complete in one turn. */
    private static final int COMPLETION_ENTRIES_FACTOR = 16;

    private static final int ENTRIES_MIN = 8; // below this a ring of halved entries is no use

    /** The kernel takes the locked memory of a closed ring off the user's account with a delay. */
    private static final long RELEASE_MILLIS = 100;

    private static CarrierGroup group; // guarded by the class
    private static boolean jdkOpen; // guarded by the class
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
        if (group != null) {
            return true;
        }
        Config config = Config.read(System.getProperties());
        if (config.mode() == Config.Mode.OFF) {
            return false;
        }
        if (unavailable == null) {
            try {
                group = start(config);
                return true;
            } catch (UnavailableException e) {
                unavailable = e.getMessage();
                if (config.mode() == Config.Mode.AUTO) {
                    System.err.println("loom-uring: not active: " + unavailable);
                }
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

    private static CarrierGroup start(Config config) throws UnavailableException {
        try {
            openJdk();
            JdkInternals.checkSchedulerHook();
            SunNet.check();
            List<String> missing = KernelFeatures.probe().missing();
            if (!missing.isEmpty()) {
                throw unavailable(Obstacle.missing(missing, Machine.read()), null);
            }
            CarrierGroup started = startGroup(config);
            CarrierIo.use(started);
            System.setProperty(PROVIDER_PROPERTY, UringSelectorProvider.class.getName());
            if (config.report()) {
                Runtime.getRuntime().addShutdownHook(new Thread(() -> report(started)));
            }
            JdkInternals.setDefaultScheduler(started);
            return started;
        } catch (LinkageError e) {
            throw unavailable(Obstacle.of(e), e);
        } catch (UnsupportedJdkException e) {
            throw unavailable(Obstacle.of(e), e);
        } catch (RingException e) {
            throw unavailable(Obstacle.of(e, Machine.read()), e);
        } catch (OutOfMemoryError | IllegalStateException e) {
            throw unavailable(Obstacle.ofCarriers(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException("interrupted while starting", e);
        }
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
            try {
                CarrierGroup started =
                        CarrierGroup.start(
                                config.carriers(),
                                config.stealing(),
                                (counters, cancelSink) ->
                                        new Ring(
                                                tried,
                                                tried * COMPLETION_ENTRIES_FACTOR,
                                                config.ringFlags(),
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
        return group == null ? new Counters() : group.counters();
    }
}
