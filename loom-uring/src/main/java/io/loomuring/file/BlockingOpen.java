package io.loomuring.file;

import static io.loomuring.abi.FileAbi.AT_FDCWD;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;
import io.loomuring.jdk.JdkInternals.Threads;

import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * An {@code open(2)} that waits for as long as it may take, on a platform thread of its own: for
 * the reader of a FIFO, or for whoever holds a lease on a file. The kernel has no event for either,
 * and a ring would keep one of its few worker threads in the call.
 */
final class BlockingOpen {
    private final long path;
    private final int flags;
    private final int permissions;

    private long nativeThread; // guarded by this; not 0 while the thread is in the call
    private boolean cancelled; // guarded by this

    private BlockingOpen(long path, int flags, int permissions) {
        this.path = path;
        this.flags = flags;
        this.permissions = permissions;
    }

    /**
     * A descriptor or {@code -errno}.
     *
     * @param path the address of a NUL-terminated one
     * @throws ClosedByInterruptException if the calling thread is interrupted, whose interrupt
     *     status is set then
     */
    static int open(long path, int flags, int permissions) throws ClosedByInterruptException {
        var open = new BlockingOpen(path, flags, permissions);
        var task = new FutureTask<>(open::call);
        Thread thread = Thread.ofPlatform().daemon().name("loom-uring-open").start(task);
        try {
            return task.get();
        } catch (InterruptedException e) {
            open.cancel(thread);
            if (task.resultNow() >= 0) {
                Native.lu_close(task.resultNow());
            }
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        } catch (ExecutionException e) {
            throw new AssertionError(e); // no call of the task's throws
        }
    }

    private int call() {
        try {
            while (begin()) {
                int result = Native.lu_openat(AT_FDCWD, path, flags, permissions);
                if (result != -Errno.EINTR) {
                    return result;
                }
            }
            return -Errno.ECANCELED;
        } finally {
            end();
        }
    }

    private synchronized boolean begin() {
        nativeThread = Threads.nativeThread();
        return !cancelled;
    }

    private synchronized void end() {
        nativeThread = 0;
    }

    private synchronized void signal() {
        cancelled = true;
        if (nativeThread != 0) {
            Threads.signal(nativeThread);
        }
    }

    /** Gets the thread out: again, if a signal came a moment before the call. */
    private void cancel(Thread thread) {
        Duration pause = Duration.ofMillis(1);
        boolean ended = false;
        while (!ended) {
            signal();
            try {
                ended = thread.join(pause);
            } catch (InterruptedException e) {
                // as we know
            }
        }
    }
}
