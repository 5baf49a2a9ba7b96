package io.loomuring.carrier;

import static io.loomuring.abi.SocketAbi.*;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Message;
import io.loomuring.abi.Shim;
import io.loomuring.jdk.JdkInternals.Threads;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.nio.ByteBuffer;

/**
 * The operations of {@link CarrierIo} for platform threads: system calls on the calling thread,
 * which block it as the kernel blocks any. No ring takes part, and no other thread.
 *
 * <p>While a thread is in the call its operation is {@code BLOCKED}. Close gets it out ({@link
 * SunNet#kick}); an interrupt closes first if the owner wants it so, and means nothing otherwise. A
 * call with {@code MSG_DONTWAIT} doesn't block and needs none of this.
 */
final class PlatformIo {
    private PlatformIo() {}

    /** As the JDK's sockets: a thread keeps a buffer of what its largest transfer took. */
    private static final int TRANSFER_BYTES_MAX = 128 * 1024;

    /** In place of a length: what is at the address is a {@code struct msghdr}. */
    private static final int MSGHDR = -1;

    private static final int TIMED_OUT = -Errno.ETIME; // no socket call's own error

    private static final Op.Kicker KICKER = SunNet::kick;

    static int recv(Op op, int fd, long address, int length, int flags, long timeoutNanos) {
        if ((flags & MSG_DONTWAIT) != 0) {
            return op.isCancelled() ? -Errno.ECANCELED : recvOnce(fd, address, length, flags);
        }
        if (!begin(op, fd)) {
            return -Errno.ECANCELED;
        }
        int n;
        try {
            n = recvBlocking(op, fd, address, length, flags, timeoutNanos);
        } finally {
            end(op);
        }
        return outcome(op, n);
    }

    private static int recvBlocking(
            Op op, int fd, long address, int length, int flags, long timeoutNanos) {
        boolean timed = timeoutNanos > 0;
        int attempt = timed ? flags | MSG_DONTWAIT : flags;
        long deadline = timed ? System.nanoTime() + timeoutNanos : 0;
        while (true) {
            int n = recvOnce(fd, address, length, attempt);
            if (n == -Errno.EAGAIN) { // not timed: a sendfile has the descriptor, see Shim
                n = pollBlocking(op, fd, POLLIN, timed, deadline);
                if (n < 0) {
                    return n;
                }
            } else if (n != -Errno.EINTR || op.isCancelled()) {
                return n;
            }
        }
    }

    private static int recvOnce(int fd, long address, int length, int flags) {
        return length == MSGHDR
                ? Shim.recvmsg(fd, address, flags)
                : Shim.recv(fd, address, length, flags);
    }

    static int recvHeap(Op op, int fd, byte[] array, int offset, int length, long timeoutNanos) {
        int size = Math.min(length, TRANSFER_BYTES_MAX);
        ByteBuffer buffer = SunNet.takeTemporary(size);
        try {
            int n = recv(op, fd, SunNet.address(buffer), size, 0, timeoutNanos);
            if (n > 0) {
                buffer.get(0, array, offset, n);
            }
            return n;
        } finally {
            SunNet.giveBackTemporary(buffer);
        }
    }

    /** Sends all, unless there is an error or a cancel after some. */
    static int send(Op op, int fd, long address, int length, int flags) {
        if ((flags & MSG_DONTWAIT) != 0) {
            return op.isCancelled() ? -Errno.ECANCELED : Shim.send(fd, address, length, flags);
        }
        if (!begin(op, fd)) {
            return -Errno.ECANCELED;
        }
        int n;
        try {
            n = sendBlocking(op, fd, address, length, flags);
        } finally {
            end(op);
        }
        return outcome(op, n);
    }

    private static int sendBlocking(Op op, int fd, long address, int length, int flags) {
        int sent = 0;
        while (true) {
            int n = Shim.send(fd, address + sent, length - sent, flags);
            if (n > 0) {
                sent += n;
            } else if (n != -Errno.EINTR) {
                return sent > 0 ? sent : n;
            }
            if (sent == length || op.isCancelled()) { // a signal may have cut it short, too
                return sent > 0 ? sent : -Errno.ECANCELED;
            }
        }
    }

    static <S> int sendHeap(Op op, int fd, S src, CarrierIo.Copy<S> copy, int offset, int length) {
        int size = Math.min(length, TRANSFER_BYTES_MAX);
        ByteBuffer buffer = SunNet.takeTemporary(size);
        try {
            long address = SunNet.address(buffer);
            int sent = 0;
            while (sent < length) {
                int chunk = Math.min(length - sent, size);
                copy.copy(src, offset + sent, buffer, chunk);
                int n = send(op, fd, address, chunk, MSG_NOSIGNAL);
                if (n < 0) {
                    return sent > 0 ? sent : n;
                }
                sent += n;
                if (n < chunk) {
                    break;
                }
            }
            return sent;
        } finally {
            SunNet.giveBackTemporary(buffer);
        }
    }

    static int sendfile(Op op, int fd, int file, long position, int count) {
        if (!begin(op, fd)) {
            return -Errno.ECANCELED;
        }
        int n;
        try {
            n = Shim.sendfile(fd, file, position, count);
        } finally {
            end(op);
        }
        return outcome(op, n);
    }

    static int recvmsg(Op op, int fd, long msghdr, int flags, long timeoutNanos) {
        return recv(op, fd, msghdr, MSGHDR, flags, timeoutNanos);
    }

    static int recvmsgHeap(
            Op op, int fd, long message, byte[] array, int offset, int length, long timeoutNanos) {
        int size = Math.min(length, TRANSFER_BYTES_MAX);
        ByteBuffer buffer = SunNet.takeTemporary(size);
        try {
            Message.data(message, SunNet.address(buffer), size);
            int n = recvmsg(op, fd, message, 0, timeoutNanos);
            if (n > 0) {
                buffer.get(0, array, offset, n);
            }
            return n;
        } finally {
            SunNet.giveBackTemporary(buffer);
        }
    }

    static int sendmsg(Op op, int fd, long msghdr, int flags) {
        while (true) {
            int n =
                    op.isCancelled()
                            ? -Errno.ECANCELED
                            : Shim.sendmsg(fd, msghdr, flags | MSG_DONTWAIT);
            if (n == -Errno.EAGAIN && (flags & MSG_DONTWAIT) == 0) {
                n = poll(op, fd, POLLOUT, 0);
            } else {
                return n;
            }
            if (n < 0) {
                return n;
            }
        }
    }

    static int poll(Op op, int fd, int events, long timeoutNanos) {
        if (!begin(op, fd)) {
            return -Errno.ECANCELED;
        }
        int revents;
        try {
            boolean timed = timeoutNanos > 0;
            long deadline = timed ? System.nanoTime() + timeoutNanos : 0;
            revents = pollBlocking(op, fd, events, timed, deadline);
        } finally {
            end(op);
        }
        return op.isCancelled() ? -Errno.ECANCELED : outcome(op, revents);
    }

    /** No operation takes part: whoever wants it to end has an event for it. */
    static int epollWait(int epollFd, long events, int eventsMax, int timeoutMillis) {
        boolean timed = timeoutMillis > 0;
        long deadline = timed ? System.nanoTime() + MILLISECONDS.toNanos(timeoutMillis) : 0;
        int millis = timeoutMillis;
        while (true) {
            int n = Shim.epollWait(epollFd, events, eventsMax, millis);
            if (n != -Errno.EINTR) {
                return n;
            }
            if (timed) {
                long nanos = deadline - System.nanoTime();
                if (nanos <= 0) {
                    return 0;
                }
                millis = millisCeiling(nanos);
            }
        }
    }

    private static int pollBlocking(Op op, int fd, int events, boolean timed, long deadline) {
        while (true) {
            int millis = -1;
            if (timed) {
                long nanos = deadline - System.nanoTime();
                if (nanos <= 0) {
                    return TIMED_OUT;
                }
                millis = millisCeiling(nanos);
            }
            int revents = Shim.poll(fd, events, millis);
            if (revents > 0 || (revents < 0 && (revents != -Errno.EINTR || op.isCancelled()))) {
                return revents;
            }
        }
    }

    /** Not less than asked for: a wait never ends before its time. */
    private static int millisCeiling(long nanos) {
        long nanosInMilli = MILLISECONDS.toNanos(1);
        long millis = nanos / nanosInMilli + (nanos % nanosInMilli > 0 ? 1 : 0);
        return (int) Math.min(millis, Integer.MAX_VALUE);
    }

    // ---- the bracket around a call that may block ----

    /** False if the operation was cancelled, or the thread interrupted and the owner ended it. */
    private static boolean begin(Op op, int fd) {
        InterruptibleOwner owner = interruptible(op);
        if (owner != null) {
            Threads.blockedOn(owner);
            if (Thread.currentThread().isInterrupted()) {
                owner.interrupted(op);
            }
        }
        boolean begun = op.beginBlocking(KICKER, fd, Threads.nativeThread());
        if (!begun && owner != null) {
            Threads.blockedOn(null);
        }
        return begun;
    }

    private static void end(Op op) {
        op.endBlocking();
        if (interruptible(op) != null) {
            Threads.blockedOn(null);
        }
    }

    private static InterruptibleOwner interruptible(Op op) {
        return op.owner() instanceof InterruptibleOwner owner && owner.closesOnInterrupt()
                ? owner
                : null;
    }

    /** The result as a ring would give it. */
    private static int outcome(Op op, int result) {
        if (result == TIMED_OUT) {
            op.cancel(Op.DEADLINE);
            return -Errno.ECANCELED;
        }
        return result <= 0 && op.isCancelled() ? -Errno.ECANCELED : result;
    }
}
