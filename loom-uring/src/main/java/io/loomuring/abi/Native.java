package io.loomuring.abi;

import java.io.IOException;

/**
 * Loads the native shim and binds its cold calls by JNA; {@link Shim} has the hot ones.
 *
 * <p>Results are {@code >= 0} or {@code -errno} unless said otherwise. Addresses are plain {@code
 * long}s. Any thread may call.
 */
public final class Native {
    private Native() {}

    private static final String NAME = "loomuring";

    /**
     * Loads the shim once for this class loader.
     *
     * @throws UnsatisfiedLinkError if it can't be unpacked or loaded; the message names the remedy
     */
    @SuppressWarnings("restricted") // loading native code is this project's business
    public static void load() {
        try {
            Jna.load(NAME, library -> System.load(library.getAbsolutePath()), Native.class);
        } catch (IOException | UnsatisfiedLinkError e) {
            throw unloadable(e);
        }
    }

    private static UnsatisfiedLinkError unloadable(Throwable cause) {
        var error =
                new UnsatisfiedLinkError(
                        "native library not loadable ("
                                + cause.getMessage()
                                + "): name a writable folder without noexec by"
                                + " -Djava.io.tmpdir or -Djna.tmpdir");
        error.initCause(cause);
        return error;
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

    /** {@code close(2)}. */
    public static native int lu_close(int fd);

    /** {@code strerror(3)}. */
    private static native String lu_strerror(int errno);

    static String strerror(int errno) {
        return lu_strerror(errno);
    }
}
