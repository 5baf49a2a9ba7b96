package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SocketImplHook;
import io.loomuring.jdk.SunNet;
import io.loomuring.net.UringSocketImpl;
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

    private static CarrierGroup group; // guarded by the class
    private static boolean jdkOpen; // guarded by the class
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
            SocketImplHook.check();
            SunNet.check();
            List<String> missing = KernelFeatures.probe().missing();
            if (!missing.isEmpty()) {
                throw new UnavailableException(
                        "this kernel lacks " + missing + ": use Linux 6.1 or newer", null);
            }
            CarrierGroup started = startGroup(config);
            CarrierIo.use(started);
            System.setProperty(PROVIDER_PROPERTY, UringSelectorProvider.class.getName());
            if (config.report()) {
                Runtime.getRuntime().addShutdownHook(new Thread(() -> report(started)));
            }
            SocketImplHook.install(UringSocketImpl::create);
            JdkInternals.setDefaultScheduler(started);
            return started;
        } catch (LinkageError | UnsupportedJdkException e) {
            throw new UnavailableException(String.valueOf(e.getMessage()), e);
        } catch (RingException e) {
            throw new UnavailableException(e.getMessage() + remedy(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException("interrupted while starting", e);
        }
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
                return CarrierGroup.start(
                        config.carriers(),
                        config.stealing(),
                        (counters, cancelSink) ->
                                new Ring(
                                        tried,
                                        tried * COMPLETION_ENTRIES_FACTOR,
                                        config.ringFlags(),
                                        counters,
                                        cancelSink));
            } catch (RingException e) {
                if (e.errno() != Errno.ENOMEM || entries / 2 < ENTRIES_MIN) {
                    throw e;
                }
                entries /= 2; // locked memory is limited for each user: smaller rings may do
            }
        }
    }

    private static String remedy(RingException e) {
        return switch (e.errno()) {
            case Errno.EPERM ->
                    ": allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp"
                            + " profile, and set sysctl kernel.io_uring_disabled=0";
            case Errno.ENOSYS -> ": use Linux 6.1 or newer with CONFIG_IO_URING";
            case Errno.ENOMEM ->
                    ": raise the limit of locked memory (ulimit -l), or lower loomuring.entries";
            case Errno.EMFILE, Errno.ENFILE -> ": raise the limit of open files (ulimit -n)";
            default -> "";
        };
    }

    private static void report(CarrierGroup carriers) {
        Counters counters = carriers.counters();
        System.err.println("loom-uring: ring operations: " + counters.operations);
        System.err.println("loom-uring: " + counters.toMap());
    }

    /** What the rings and carriers did so far, summed; zeros if they don't carry this JVM. */
    public static synchronized Counters counters() {
        return group == null ? new Counters() : group.counters();
    }
}
