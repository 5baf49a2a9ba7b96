package io.loomuring.testing;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;

/** Calls that only tests make, bound by JNA. */
public final class Libc {
    private Libc() {}

    public static final int SOCK_STREAM = 1;
    static final int SHUT_WR = 1;

    static {
        Native.register(Libc.class, "c");
    }

    public static native int socketpair(int domain, int type, int protocol, int[] fds)
            throws LastErrorException;

    public static native int socket(int domain, int type, int protocol) throws LastErrorException;

    public static native int bind(int fd, long sockaddr, int length) throws LastErrorException;

    public static native int listen(int fd, int backlog) throws LastErrorException;

    public static native int getsockname(int fd, long sockaddr, long length)
            throws LastErrorException;

    public static native int shutdown(int fd, int how) throws LastErrorException;

    public static native long read(int fd, long address, long length) throws LastErrorException;

    /** The pointers are addresses; returns the error itself. */
    static native int posix_spawn(
            long pid, long path, long actions, long attributes, long argv, long envp);

    static native int posix_spawn_file_actions_init(long actions);

    static native int posix_spawn_file_actions_adddup2(long actions, int fd, int newFd);

    public static final int POSIX_FADV_DONTNEED = 4;
    public static final int RLIMIT_NOFILE = 7;
    public static final int F_SETSIG = 10;
    public static final int F_SETLEASE = 1024;
    public static final int F_RDLCK = 0;
    public static final int F_UNLCK = 2;
    public static final int SIGURG = 23;

    /** Returns the error itself. */
    public static native int posix_fadvise(int fd, long offset, long length, int advice);

    public static native int mkfifo(String path, int mode) throws LastErrorException;

    public static native int fcntl(int fd, int command, int argument) throws LastErrorException;

    /** The pointers are addresses. */
    public static native int prlimit(int pid, int resource, long newLimit, long oldLimit)
            throws LastErrorException;

    static native int waitpid(int pid, long status, int options) throws LastErrorException;

    static native int prctl(int option, long arg2, long arg3, long arg4, long arg5)
            throws LastErrorException;
}
