package io.loomuring.abi;

/**
 * The hot calls of the native shim, through JNI: 20 ns where a JNA call costs ten times that (see
 * {@link Native} for the cold ones).
 *
 * <p>Each returns the system call's result, {@code >= 0}, or {@code -errno}; none retries on {@code
 * EINTR}. Descriptors are raw, addresses are of native memory that the caller keeps alive. Any
 * thread may call; a virtual thread stays on its carrier for the duration, so it calls none of
 * these in a way that blocks. A carrier blocks in {@link #enter} only, other platform threads
 * wherever the descriptor's mode lets them.
 */
public final class Shim {
    private Shim() {}

    /**
     * {@code io_uring_enter(2)}.
     *
     * @param arg address of a {@code struct io_uring_getevents_arg} with {@code
     *     IORING_ENTER_EXT_ARG}, else 0
     * @return the number of SQEs consumed, or {@code -errno}
     */
    public static native int enter(
            int ringFd, int toSubmit, int minComplete, int flags, long arg, int argSize);

    /** {@code recv(2)}; a virtual thread's {@code flags} have {@code MSG_DONTWAIT}. */
    public static native int recv(int fd, long address, int length, int flags);

    /** {@code send(2)}; a virtual thread's {@code flags} have {@code MSG_DONTWAIT}. */
    public static native int send(int fd, long address, int length, int flags);

    /** {@code recvmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public static native int recvmsg(int fd, long msghdr, int flags);

    /** {@code sendmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public static native int sendmsg(int fd, long msghdr, int flags);

    /** {@code read(2)} on a descriptor in non-blocking mode. */
    public static native int read(int fd, long address, int length);

    /** {@code write(2)} on a descriptor in non-blocking mode. */
    public static native int write(int fd, long address, int length);

    /** {@code readv(2)} on a descriptor in non-blocking mode. */
    public static native int readv(int fd, long iov, int count);

    /** {@code writev(2)} on a descriptor in non-blocking mode. */
    public static native int writev(int fd, long iov, int count);

    /** {@code pread(2)}. */
    public static native int pread(int fd, long address, int length, long position);

    /** {@code pwrite(2)}. */
    public static native int pwrite(int fd, long address, int length, long position);

    /** {@code lseek(2)} that moves nothing; {@code -ESPIPE} of a pipe, a socket or a terminal. */
    public static native long position(int fd);

    /** {@code sendfile(2)}; the file's own position does not move. */
    public static native int sendfile(int fd, int file, long position, int count);

    /**
     * {@code sendfile(2)} that never waits for room, although the socket is in blocking mode: its
     * descriptor is in non-blocking mode meanwhile, so other calls on it may answer {@code
     * -EAGAIN}.
     */
    public static native int sendfileNow(int fd, int file, long position, int count);

    /**
     * {@code poll(2)} of one descriptor.
     *
     * @param timeoutMillis negative: none
     * @return the events that came, errors among them; 0 if none did in time
     */
    public static native int poll(int fd, int events, int timeoutMillis);

    /**
     * {@code epoll_ctl(2)}.
     *
     * @param data what {@link #epollWait} gives back with the descriptor's events
     */
    public static native int epollCtl(int epollFd, int op, int fd, int events, int data);

    /**
     * {@code epoll_wait(2)}.
     *
     * @param events address of {@code eventsMax} of {@code struct epoll_event}
     * @param timeoutMillis 0: doesn't block, as a virtual thread must have it; negative: none
     * @return how many events were written
     */
    public static native int epollWait(int epollFd, long events, int eventsMax, int timeoutMillis);

    /** {@code accept4(2)} on a descriptor in non-blocking mode. */
    public static native int accept(int fd, long sockaddr, long addrlen, int flags);

    /** {@code close(2)}. */
    public static native int close(int fd);

    /** Sets {@code FD_CLOEXEC}, see {@code fcntl(2)}. */
    public static native int closeOnExec(int fd);

    /** Adds one to an eventfd ({@code eventfd(2)}). */
    public static native int signal(int eventFd);

    /** {@code sched_yield(2)}: lets the thread run that holds what the caller waits for. */
    public static native void yieldCpu();
}
