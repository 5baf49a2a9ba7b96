package io.loomuring.carrier;

import static io.loomuring.abi.IoUringAbi.IORING_FSYNC_DATASYNC;
import static io.loomuring.abi.SocketAbi.*;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Message;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.ring.Op;

import java.nio.ByteBuffer;

/**
 * Blocking operations on raw descriptors: all that channels see of carriers and rings.
 *
 * <p>Each blocks the calling thread until the operation's end, so that memory and descriptor are
 * the caller's again when it returns. A virtual thread of ours fills an entry of its carrier's ring
 * and parks; one of another scheduler, or pinned on a carrier that it holds up, hands the operation
 * to a carrier that gets on and parks. A platform thread makes the system call itself ({@link
 * PlatformIo}), but for {@code accept} and {@code connect}, which it hands over. The caller has
 * claimed {@code op}.
 *
 * <p>Results are {@code >= 0} or {@code -errno}. A {@code timeoutNanos} above 0 limits the wait:
 * after it the operation is cancelled with {@link Op#DEADLINE}, and the result is {@code
 * -ECANCELED} unless it completed all the same. The same goes for {@link Op#cancel} by others.
 */
public final class CarrierIo {
    private CarrierIo() {}

    private static volatile CarrierGroup group; // set once, by the installer

    /** Names the carriers that serve threads that have none. */
    public static void use(CarrierGroup newGroup) {
        group = newGroup;
    }

    /** Whether there are carriers: before that nothing else here may be called. */
    public static boolean isInUse() {
        return group != null;
    }

    /** {@code recv(2)} into native memory. */
    public static int recv(Op op, int fd, long address, int length, int flags, long timeoutNanos) {
        if (onPlatformThread()) {
            return PlatformIo.recv(op, fd, address, length, flags, timeoutNanos);
        }
        op.prepRecv(fd, address, length, flags);
        return perform(op, timeoutNanos);
    }

    /**
     * {@code recv(2)} into an array: the data arrives in one of the ring's provided buffers, so
     * none is held while the thread waits.
     */
    public static int recvHeap(
            Op op, int fd, byte[] array, int offset, int length, long timeoutNanos) {
        if (onPlatformThread()) {
            return PlatformIo.recvHeap(op, fd, array, offset, length, timeoutNanos);
        }
        op.prepRecvSelect(fd, array, offset, length);
        int n = perform(op, timeoutNanos);
        while (n == -Errno.ENOBUFS) { // more arrived in one turn than there are buffers
            n = recvNow(fd, array, offset, length);
            if (n != -Errno.EAGAIN) {
                return n;
            }
            n = poll(op, fd, POLLIN, timeoutNanos);
            if (n > 0) {
                n = -Errno.ENOBUFS;
            }
        }
        return n;
    }

    /** Takes what is there without waiting; {@code -EAGAIN} if nothing is. */
    private static int recvNow(int fd, byte[] array, int offset, int length) {
        Scratch scratch = Scratch.take();
        int n = Shim.recv(fd, scratch.address, Math.min(length, Scratch.SIZE), MSG_DONTWAIT);
        if (n > 0) {
            scratch.buffer.get(0, array, offset, n);
        }
        scratch.release();
        return n;
    }

    /** {@code send(2)} from native memory. */
    public static int send(Op op, int fd, long address, int length, int flags) {
        if (onPlatformThread()) {
            return PlatformIo.send(op, fd, address, length, flags);
        }
        op.prepSend(fd, address, length, flags);
        return perform(op, 0);
    }

    /** Copies a part of what is to be sent to position 0 of a buffer in native memory. */
    @FunctionalInterface
    interface Copy<S> {
        void copy(S from, int offset, ByteBuffer to, int length);
    }

    private static final Copy<byte[]> ARRAY = (from, offset, to, n) -> to.put(0, from, offset, n);
    private static final Copy<ByteBuffer> BUFFER =
            (from, offset, to, n) -> to.put(0, from, offset, n);

    /**
     * Sends all of a part of an array. While the peer doesn't read, no native memory is held.
     *
     * @return bytes sent: all, or fewer if an error or a cancel came after some; else the error
     */
    public static int sendHeap(Op op, int fd, byte[] array, int offset, int length) {
        return sendHeap(op, fd, array, ARRAY, offset, length);
    }

    /**
     * As {@link #sendHeap(Op, int, byte[], int, int)}, of a heap buffer, which may be read-only.
     */
    public static int sendHeap(Op op, int fd, ByteBuffer src, int position, int length) {
        return sendHeap(op, fd, src, BUFFER, position, length);
    }

    private static <S> int sendHeap(Op op, int fd, S src, Copy<S> copy, int offset, int length) {
        if (onPlatformThread()) {
            return PlatformIo.sendHeap(op, fd, src, copy, offset, length);
        }
        int sent = 0;
        while (sent < length) {
            Scratch scratch = Scratch.take();
            int chunk = Math.min(length - sent, Scratch.SIZE);
            copy.copy(src, offset + sent, scratch.buffer, chunk);
            int n = send(op, fd, scratch.address, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
            scratch.release();
            if (n == -Errno.EAGAIN) {
                n = Math.min(0, poll(op, fd, POLLOUT, 0));
            }
            if (n < 0) {
                return sent > 0 ? sent : n;
            }
            sent += n;
        }
        return sent;
    }

    /** {@code recvmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public static int recvmsg(Op op, int fd, long msghdr, int flags, long timeoutNanos) {
        if (onPlatformThread()) {
            return PlatformIo.recvmsg(op, fd, msghdr, flags, timeoutNanos);
        }
        op.prepRecvmsg(fd, msghdr, flags);
        return perform(op, timeoutNanos);
    }

    /**
     * {@code recvmsg(2)} of one datagram into an array: no buffer is held while the thread waits.
     *
     * @param message the address of a {@link Message}, whose data this method sets
     */
    public static int recvmsgHeap(
            Op op, int fd, long message, byte[] array, int offset, int length, long timeoutNanos) {
        if (onPlatformThread()) {
            return PlatformIo.recvmsgHeap(op, fd, message, array, offset, length, timeoutNanos);
        }
        boolean timed = timeoutNanos > 0;
        long deadline = timed ? System.nanoTime() + timeoutNanos : 0;
        if (length <= Op.PROVIDED_BYTES) {
            Message.data(message, 0, length);
            op.prepRecvmsgSelect(fd, message, array, offset);
            int n = perform(op, timeoutNanos);
            if (n != -Errno.ENOBUFS) {
                return n;
            }
        }
        while (true) { // a datagram would lose what a provided buffer has no room for
            int n = recvmsgNow(fd, message, array, offset, length);
            if (n != -Errno.EAGAIN) {
                return n;
            }
            n = poll(op, fd, POLLIN, timed ? Math.max(1, deadline - System.nanoTime()) : 0);
            if (n < 0) {
                return n;
            }
        }
    }

    private static int recvmsgNow(int fd, long message, byte[] array, int offset, int length) {
        Scratch scratch = Scratch.take();
        Message.data(message, scratch.address, Math.min(length, Scratch.SIZE));
        int n = Shim.recvmsg(fd, message, MSG_DONTWAIT);
        if (n > 0) {
            scratch.buffer.get(0, array, offset, n);
        }
        scratch.release();
        return n;
    }

    /** {@code sendmsg(2)}; {@code msghdr} is the address of a {@code struct msghdr}. */
    public static int sendmsg(Op op, int fd, long msghdr, int flags) {
        if (onPlatformThread()) {
            return PlatformIo.sendmsg(op, fd, msghdr, flags);
        }
        op.prepSendmsg(fd, msghdr, flags);
        return perform(op, 0);
    }

    /**
     * {@code sendfile(2)} into a socket in blocking mode, by one system call. Only a platform
     * thread waits in it; to a virtual one it says {@code -EAGAIN}. A signal that is no cancel ends
     * it with {@code -EINTR}.
     */
    public static int sendfile(Op op, int fd, int file, long position, int count) {
        if (onPlatformThread()) {
            return PlatformIo.sendfile(op, fd, file, position, count);
        }
        return op.isCancelled() ? -Errno.ECANCELED : Shim.sendfileNow(fd, file, position, count);
    }

    /** {@code accept4(2)}: a descriptor or {@code -errno}. */
    public static int accept(
            Op op, int fd, long sockaddr, long addrlen, int flags, long timeoutNanos) {
        long deadline = Waiting.deadline(timeoutNanos);
        do {
            // a connection wakes one accept, and a request that was left stands before the next
            if (op.owner().isLeftToKernel()) {
                op.prepPollAdd(fd, POLLIN);
                int revents = performUntil(op, deadline);
                if (revents < 0) {
                    return revents;
                }
            }
            op.prepAccept(fd, sockaddr, addrlen, flags);
            submitAndAwait(op, deadline);
        } while (op.isToBeRepeated());
        return op.result();
    }

    /** {@code connect(2)}. */
    public static int connect(Op op, int fd, long sockaddr, int addrlen, long timeoutNanos) {
        op.prepConnect(fd, sockaddr, addrlen);
        return perform(op, timeoutNanos);
    }

    /** {@code poll(2)} of one descriptor: the events that came, or {@code -errno}. */
    public static int poll(Op op, int fd, int events, long timeoutNanos) {
        if (onPlatformThread()) {
            return PlatformIo.poll(op, fd, events, timeoutNanos);
        }
        op.prepPollAdd(fd, events);
        return perform(op, timeoutNanos);
    }

    /**
     * {@code epoll_wait(2)}. A virtual thread waits for the epoll descriptor to become readable and
     * then takes the events.
     *
     * @param events address of {@code eventsMax} of {@code struct epoll_event}
     * @param timeoutMillis 0: doesn't wait; negative: no limit
     * @return how many events were written, 0 if none came in time or {@code op} was cancelled; or
     *     {@code -errno}
     */
    public static int epollWait(Op op, int epollFd, long events, int eventsMax, int timeoutMillis) {
        if (onPlatformThread()) {
            return PlatformIo.epollWait(epollFd, events, eventsMax, timeoutMillis);
        }
        int n = Shim.epollWait(epollFd, events, eventsMax, 0);
        if (n == 0 && timeoutMillis != 0) {
            boolean timed = timeoutMillis > 0;
            long deadline = timed ? System.nanoTime() + MILLISECONDS.toNanos(timeoutMillis) : 0;
            do {
                long nanos = timed ? Math.max(1, deadline - System.nanoTime()) : 0;
                int revents = poll(op, epollFd, POLLIN, nanos);
                if (revents < 0 && revents != -Errno.ECANCELED) {
                    return revents;
                }
                n = Shim.epollWait(epollFd, events, eventsMax, 0);
            } while (n == 0 && !op.isCancelled());
        }
        return n;
    }

    // ---- files: no cancel gets a platform thread out of these calls ----

    /** {@code openat(2)}: a descriptor or {@code -errno}; {@code path} ends with a NUL. */
    public static int openat(Op op, int dirFd, long path, int flags, int mode) {
        if (onPlatformThread()) {
            return Native.lu_openat(dirFd, path, flags, mode);
        }
        op.prepOpenat(dirFd, path, flags, mode);
        return perform(op, 0);
    }

    /** {@code close(2)}. */
    public static int close(Op op, int fd) {
        if (onPlatformThread()) {
            return Shim.close(fd);
        }
        op.prepClose(fd);
        return perform(op, 0);
    }

    /** {@code statx(2)}; {@code buffer} is the address of a {@code struct statx}. */
    public static int statx(Op op, int dirFd, long path, int flags, int mask, long buffer) {
        if (onPlatformThread()) {
            return Native.lu_statx(dirFd, path, flags, mask, buffer);
        }
        op.prepStatx(dirFd, path, flags, mask, buffer);
        return perform(op, 0);
    }

    /** {@code pread(2)} into native memory. */
    public static int read(Op op, int fd, long address, int length, long position) {
        if (onPlatformThread()) {
            return op.isCancelled() ? -Errno.ECANCELED : Shim.pread(fd, address, length, position);
        }
        op.prepRead(fd, address, length, position);
        return perform(op, 0);
    }

    /** {@code pwrite(2)} from native memory. */
    public static int write(Op op, int fd, long address, int length, long position) {
        if (onPlatformThread()) {
            return op.isCancelled() ? -Errno.ECANCELED : Shim.pwrite(fd, address, length, position);
        }
        op.prepWrite(fd, address, length, position);
        return perform(op, 0);
    }

    /** {@code fsync(2)}, or {@code fdatasync(2)} if {@code dataOnly}. */
    public static int fsync(Op op, int fd, boolean dataOnly) {
        if (onPlatformThread()) {
            return dataOnly ? Native.lu_fdatasync(fd) : Native.lu_fsync(fd);
        }
        op.prepFsync(fd, dataOnly ? IORING_FSYNC_DATASYNC : 0);
        return perform(op, 0);
    }

    /** Does nothing, by way of the kernel: what an operation costs besides its work. */
    public static int nop(Op op) {
        op.prepNop();
        return perform(op, 0);
    }

    private static boolean onPlatformThread() {
        return !Thread.currentThread().isVirtual();
    }

    // ---- submit and wait ----

    private static int perform(Op op, long timeoutNanos) {
        return performUntil(op, Waiting.deadline(timeoutNanos));
    }

    private static int performUntil(Op op, long deadline) {
        do {
            submitAndAwait(op, deadline);
        } while (op.isToBeRepeated());
        return op.result();
    }

    private static void submitAndAwait(Op op, long deadline) {
        Thread thread = Thread.currentThread();
        op.waitOn(thread);
        CarrierGroup carriers = group;
        Carrier carrier = thread.isVirtual() ? carriers.current() : null;
        if (carrier != null && !carrier.isStuck()) {
            // no pre-emption: the virtual thread stays on this carrier until it parks
            if (carrier.ring().submit(op)) {
                Waiting.await(op, deadline);
            }
        } else {
            op.handOver();
            carriers.pick().send(op);
            Waiting.await(op, deadline);
        }
    }
}
