package io.loomuring.abi;

import io.loomuring.abi.LibraryFiles.Resource;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * Loads the native shim and binds its cold calls by JNA; {@link Shim} has the hot ones.
 *
 * <p>Results are {@code >= 0} or {@code -errno} unless said otherwise. Addresses are plain {@code
 * long}s. Any thread may call.
 */
public final class Native {
    private Native() {}

    private static final String NAME = "loomuring";

    private static boolean loaded; // guarded by the class

    /**
     * Loads the shim once for this class loader.
     *
     * @throws LoadError if it can't be unpacked or loaded
     */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        try (var files = new LibraryFiles()) {
            var shim = new Resource("/" + Jna.platform() + "/" + System.mapLibraryName(NAME));
            boolean inMemory = loadShim(files, shim);
            Jna.bind(Native.class, shim, files, inMemory);
            files.memory().forEach(Native::lu_close);
            loaded = true;
        } catch (IOException | LinkageError | IllegalCallerException e) {
            throw unloadable(e);
        }
    }

    /** JNI's half; returns whether only memory lets it be loaded. */
    @SuppressWarnings("restricted") // loading native code is this project's business
    private static boolean loadShim(LibraryFiles files, Resource shim) throws IOException {
        Path file = files.unpack(shim);
        try {
            System.load(file.toString());
            return false;
        } catch (UnsatisfiedLinkError onDisk) {
            try {
                System.load(files.moveToMemory(shim).toString());
                return true;
            } catch (IOException | UnsatisfiedLinkError inMemory) {
                onDisk.addSuppressed(inMemory);
                throw onDisk;
            }
        }
    }

    private static LoadError unloadable(Throwable cause) {
        var error =
                new LoadError(
                        "native library not loadable (" + message(cause) + ")", remedy(cause));
        error.initCause(cause);
        return error;
    }

    /** In one line, without the JDK's repetition of the file's name. */
    private static String message(Throwable cause) {
        return String.valueOf(cause.getMessage())
                .strip()
                .replaceAll("\\s*\\R\\s*", " ")
                .replaceFirst("^(\\S+: )\\1", "$1");
    }

    private static String remedy(Throwable cause) {
        if (cause instanceof IllegalCallerException) {
            return "add --enable-native-access=ALL-UNNAMED";
        }
        boolean forbidden = message(cause).contains("failed to map segment");
        if (forbidden || cause instanceof FileSystemException) {
            return "name a writable folder, best without noexec, by -Djava.io.tmpdir";
        }
        return "use Linux with glibc, on a processor that this jar is built for";
    }

    /** The native library can't be loaded. */
    public static final class LoadError extends UnsatisfiedLinkError {
        private static final long serialVersionUID = 1L;

        private final String remedy;

        private LoadError(String message, String remedy) {
            super(message);
            this.remedy = remedy;
        }

        /** What to do about it. */
        public String remedy() {
            return remedy;
        }
    }

    /** {@code io_uring_setup(2)}; {@code params} is a {@code struct io_uring_params}. */
    public static native int lu_io_uring_setup(int entries, long params);

    /** {@code io_uring_register(2)}. */
    public static native int lu_io_uring_register(int fd, int opcode, long arg, int count);

    /**
     * {@code mmap(2)} of a ring's memory, populated, not inherited by a forked child ({@code
     * MADV_DONTFORK}).
     *
     * @return the address or {@code -errno}
     */
    public static native long lu_map_ring(int fd, long length, long offset);

    /**
     * Anonymous memory of whole pages, zeroed, {@code MADV_DONTFORK}.
     *
     * @return the address or {@code -errno}
     */
    public static native long lu_map_anonymous(long length);

    /** {@code munmap(2)}. */
    public static native int lu_unmap(long address, long length);

    /** {@code eventfd(2)}, non-blocking and close-on-exec. */
    public static native int lu_eventfd();

    /** {@code epoll_create1(2)}, close-on-exec. */
    public static native int lu_epoll_create();

    /** {@code close(2)}. */
    public static native int lu_close(int fd);

    /** {@code openat(2)}; {@code path} is the address of a NUL-terminated one. */
    public static native int lu_openat(int dirFd, long path, int flags, int mode);

    /** {@code statx(2)}; {@code buffer} is the address of a {@code struct statx}. */
    public static native int lu_statx(int dirFd, long path, int flags, int mask, long buffer);

    /** {@code fsync(2)}. */
    public static native int lu_fsync(int fd);

    /** {@code fdatasync(2)}. */
    public static native int lu_fdatasync(int fd);

    /** {@code gettid(2)}. */
    public static native int lu_gettid();

    /**
     * What a thread of this process does, by the letter of {@code proc(5)}: {@code 'R'} runs or
     * wants to, {@code 'S'} and {@code 'D'} sleep.
     *
     * @param tid as {@link #lu_gettid} gave it
     * @return the letter or {@code -errno}
     */
    public static native int lu_thread_state(int tid);

    /**
     * CPU time of a thread of this process, by {@code clock_gettime(2)}.
     *
     * @return nanoseconds or {@code -errno}
     */
    public static native long lu_thread_cpu_nanos(int tid);

    /** A bit of {@link #lu_device_feature}: the feature is on. */
    public static final int DEVICE_FEATURE_ACTIVE = 1;

    /** A bit of {@link #lu_device_feature}: the device can have it on and off. */
    public static final int DEVICE_FEATURE_CHANGEABLE = 2;

    /**
     * A feature of a network device, by the name that {@code ethtool -k} prints with its short
     * names expanded, as in {@code tls-hw-tx-offload}.
     *
     * @return bits, {@code -ENOENT} if the kernel doesn't know the feature, or {@code -errno}
     */
    public static native int lu_device_feature(String device, String feature);

    /** {@code setsockopt(2)}; {@code value} is the address of {@code length} bytes. */
    public static native int lu_setsockopt(int fd, int level, int name, long value, int length);

    /** {@code SO_ERROR}, which is none afterwards: {@code >= 0}, or {@code -errno} of the call. */
    public static native int lu_take_socket_error(int fd);

    /**
     * Whether the kernel has a protocol to put on top of TCP ({@code TCP_ULP}), such as {@code
     * tls}; a module is loaded if the process may do that.
     *
     * @return 1, {@code -ENOENT} if not, or {@code -errno}
     */
    public static native int lu_has_upper_layer(String name);

    /** {@code strerror(3)}. */
    private static native String lu_strerror(int errno);

    static String strerror(int errno) {
        return lu_strerror(errno);
    }
}
