package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;

import java.util.HashSet;
import java.util.Set;

/**
 * A kernel thread that takes submissions from shared memory ({@code IORING_SETUP_SQPOLL}), so that
 * submitting needs no system call: one for all rings that are set up by the same object.
 *
 * <p>It polls their queues, and goes to sleep when none had work for a while; then it is woken by
 * the next {@code io_uring_enter}. The kernel ends it with the last of its rings. Any thread may
 * call.
 */
public final class SqThread {
    private final int idleMillis;
    private final Set<Integer> ringFds = new HashSet<>(); // guarded by this

    /**
     * The thread starts with the first ring.
     *
     * @param idleMillis how long it polls without work before it sleeps; 0: there is no such
     *     thread, and rings are entered to submit
     */
    public SqThread(int idleMillis) {
        this.idleMillis = idleMillis;
    }

    /**
     * {@code io_uring_setup(2)}, of a ring that shares the thread with those that are open.
     *
     * @param params {@code struct io_uring_params}, complete but for the thread
     * @return the ring's descriptor, for {@link #close}
     */
    synchronized int setUp(int entries, long params) throws RingException {
        if (idleMillis > 0) {
            int flags = Memory.getInt(params + PARAMS_FLAGS) | IORING_SETUP_SQPOLL;
            if (!ringFds.isEmpty()) {
                flags |= IORING_SETUP_ATTACH_WQ;
                Memory.putInt(params + PARAMS_WQ_FD, ringFds.iterator().next());
            }
            Memory.putInt(params + PARAMS_FLAGS, flags);
            Memory.putInt(params + PARAMS_SQ_THREAD_IDLE, idleMillis);
        }
        long rc = Native.lu_io_uring_setup(entries, params);
        int fd = (int) RingException.check("io_uring_setup", rc);
        ringFds.add(fd);
        return fd;
    }

    /** Closes a ring's descriptor: under the lock, so that no other ring attaches to it. */
    synchronized void close(int fd) {
        ringFds.remove(fd);
        Native.lu_close(fd);
    }
}
