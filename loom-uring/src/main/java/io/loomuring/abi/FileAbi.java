package io.loomuring.abi;

/**
 * {@code fcntl.h}, {@code sys/stat.h}, {@code unistd.h}: constants, and offsets and sizes of
 * structures in bytes. Names and the test are those of {@link IoUringAbi}.
 */
public final class FileAbi {
    private FileAbi() {}

    private static final boolean X86_64 = System.getProperty("os.arch").equals("amd64");

    // flags of openat
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 0x1;
    public static final int O_RDWR = 0x2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_DSYNC = 0x1000;
    public static final int O_SYNC = 0x101000;
    public static final int O_NOFOLLOW = X86_64 ? 0x20000 : 0x8000;
    public static final int O_CLOEXEC = 0x80000;

    // in place of a folder's descriptor; flags of statx
    public static final int AT_FDCWD = -100;
    public static final int AT_EMPTY_PATH = 0x1000;

    // struct statx, what to ask for, and what its mode has
    public static final int SIZEOF_STATX = 256;
    public static final int STATX_STX_MODE = 28;
    public static final int STATX_STX_INO = 32;
    public static final int STATX_STX_SIZE = 40;
    public static final int STATX_STX_CTIME = 96;
    public static final int STATX_STX_MTIME = 112;
    public static final int STATX_STX_DEV_MAJOR = 136;
    public static final int STATX_STX_DEV_MINOR = 140;
    public static final int STATX_TIMESTAMP_TV_NSEC = 8;
    public static final int STATX_TYPE = 0x1;
    public static final int STATX_SIZE = 0x200;
    public static final int STATX_BASIC_STATS = 0x7ff;
    public static final int S_IFMT = 0xf000;
    public static final int S_IFIFO = 0x1000;

    // limits.h
    public static final int PATH_MAX = 4096;
}
