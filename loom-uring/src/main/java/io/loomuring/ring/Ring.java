package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;
import static io.loomuring.ring.OwnerWord.ENTERING;
import static io.loomuring.ring.OwnerWord.FILLING;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.abi.SocketAbi;
import io.loomuring.observe.Counters;

import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One io_uring instance: submit operations, enter the kernel, reap completions.
 *
 * <p>Everything here happens under the {@link OwnerWord}, which has one holder at a time.
 *
 * <p>With a polling {@link SqThread} the kernel takes entries as they are published; the ring is
 * entered only to wait, and to wake that thread.
 */
public final class Ring {
    // user_data of the ring's own operations
    private static final long WAKE = -1;
    private static final long CANCEL = -2;
    private static final long RECALL = Long.MIN_VALUE; // plus the user_data that it cancels

    private static final int FLUSH_ATTEMPTS_MAX = 1000;

    private final OwnerWord owner = new OwnerWord();

    private final SqThread sqThread;
    private final int fd;
    private final int setupFlags;
    private final boolean polled; // the kernel's SqThread takes what is published
    private final long ringAddress;
    private final long ringLength;
    private final long sqesAddress;
    private final long sqesLength;
    private final long waitArg; // struct io_uring_getevents_arg, then a struct __kernel_timespec
    private final SubmissionQueue sq;
    private final CompletionQueue cq;
    private final BufferRing buffers;
    private final OpTable inFlight = new OpTable();

    /** In flight, but not yet in the queue, where each has an entry reserved; see {@link #add}. */
    private final Op[] heldReceives;

    private int held;
    private final Counters counters;
    private final Consumer<Op.Cancel> cancelSink;

    private int wakeFd = -1;
    private boolean wakeArmed;

    /** A rescuer reaped a wake-up, meant for a carrier that was on its way to sleep. */
    private boolean wakeTaken;

    private long[] recalled; // the user_data of cancels that succeeded; null but in moveOn
    private int recalledCount;

    /** A ring that is entered to submit. */
    public Ring(
            int entries,
            int completionEntries,
            int setupFlags,
            Counters counters,
            Consumer<Op.Cancel> cancelSink)
            throws RingException {
        this(entries, completionEntries, setupFlags, new SqThread(0), counters, cancelSink);
    }

    /**
     * Sets a ring up. With {@code IORING_SETUP_SINGLE_ISSUER} the calling thread is its only user.
     *
     * @param entries submission entries, a power of two
     * @param completionEntries completion entries, a power of two
     * @param setupFlags {@code IORING_SETUP_*} beyond those that this class needs itself
     * @param sqThread what submits, if not {@link #enter}
     * @param counters written by the ring's owner
     * @param cancelSink brings a request from any thread to {@link #cancel} on the ring's owner
     * @throws RingException if the kernel refuses; nothing is left behind
     */
    public Ring(
            int entries,
            int completionEntries,
            int setupFlags,
            SqThread sqThread,
            Counters counters,
            Consumer<Op.Cancel> cancelSink)
            throws RingException {
        this.sqThread = sqThread;
        this.counters = counters;
        this.cancelSink = cancelSink;
        long params = RingException.check("mmap", Native.lu_map_anonymous(SIZEOF_IO_URING_PARAMS));
        var undo = new Undo();
        undo.add(() -> Native.lu_unmap(params, SIZEOF_IO_URING_PARAMS));
        try {
            Memory.putInt(
                    params + PARAMS_FLAGS,
                    setupFlags
                            | IORING_SETUP_CQSIZE
                            | IORING_SETUP_CLAMP
                            | IORING_SETUP_SUBMIT_ALL);
            Memory.putInt(params + PARAMS_CQ_ENTRIES, completionEntries);
            fd = sqThread.setUp(entries, params);
            undo.add(() -> sqThread.close(fd));
            this.setupFlags = Memory.getInt(params + PARAMS_FLAGS);
            polled = (this.setupFlags & IORING_SETUP_SQPOLL) != 0;
            // IORING_FEAT_SINGLE_MMAP: both queues lie in one mapping
            long sqLength =
                    Memory.getInt(params + PARAMS_SQ_OFF + SQ_OFF_ARRAY)
                            + (long) Memory.getInt(params + PARAMS_SQ_ENTRIES) * Integer.BYTES;
            long cqLength =
                    Memory.getInt(params + PARAMS_CQ_OFF + CQ_OFF_CQES)
                            + (long) Memory.getInt(params + PARAMS_CQ_ENTRIES)
                                    * SIZEOF_IO_URING_CQE;
            ringLength = Math.max(sqLength, cqLength);
            ringAddress =
                    RingException.check(
                            "mmap", Native.lu_map_ring(fd, ringLength, IORING_OFF_SQ_RING));
            undo.add(() -> Native.lu_unmap(ringAddress, ringLength));
            sqesLength = (long) Memory.getInt(params + PARAMS_SQ_ENTRIES) * SIZEOF_IO_URING_SQE;
            sqesAddress =
                    RingException.check(
                            "mmap", Native.lu_map_ring(fd, sqesLength, IORING_OFF_SQES));
            undo.add(() -> Native.lu_unmap(sqesAddress, sqesLength));
            waitArg = RingException.check("mmap", Native.lu_map_anonymous(waitArgLength()));
            undo.add(() -> Native.lu_unmap(waitArg, waitArgLength()));
            Memory.putLong(waitArg + GETEVENTS_ARG_TS, waitArg + SIZEOF_IO_URING_GETEVENTS_ARG);
            sq = new SubmissionQueue(ringAddress, params, sqesAddress);
            cq = new CompletionQueue(ringAddress, params);
            heldReceives = new Op[sq.entries()];
            buffers = new BufferRing(fd);
        } catch (RingException | RuntimeException | Error e) {
            undo.run();
            throw e;
        }
        Native.lu_unmap(params, SIZEOF_IO_URING_PARAMS);
    }

    private static long waitArgLength() {
        return SIZEOF_IO_URING_GETEVENTS_ARG + SIZEOF_KERNEL_TIMESPEC;
    }

    /** What a failed constructor takes back, last first. */
    private static final class Undo {
        private Runnable steps = () -> {};

        void add(Runnable step) {
            Runnable before = steps;
            steps =
                    () -> {
                        step.run();
                        before.run();
                    };
        }

        void run() {
            steps.run();
        }
    }

    // ---- filling ----

    /**
     * Queues an operation; the next enter submits it. If it was cancelled before, or the kernel has
     * no memory to take it, it ends here and its waiter is made runnable.
     *
     * @return whether the operation is in flight
     */
    public boolean submit(Op op) {
        return submitOrRefuse(op, false) == null;
    }

    /** {@link #submit} for a thread that handed its operation over and waits already. */
    public void submitHanded(Op op) {
        Thread refused = submitOrRefuse(op, true);
        if (refused != null) {
            LockSupport.unpark(refused);
        }
    }

    /** Returns null, or whoever waits for an operation that ends here. */
    private Thread submitOrRefuse(Op op, boolean handed) {
        op.submitting(this);
        boolean taken = owner.acquire(FILLING); // the full fence between submitting and isCancelled
        try {
            if (handed) {
                counters.foreignOperations++;
            }
            if (op.isCancelled()) {
                return op.completed(-Errno.ECANCELED);
            }
            if (isFull() && !flush()) {
                return op.completed(-Errno.ENOMEM);
            }
            op.userData(inFlight.allocate(op));
            add(op);
            counters.operations++;
            return null;
        } catch (OutOfMemoryError e) { // of a table that had to grow
            return op.completed(-Errno.ENOMEM);
        } finally {
            if (taken) {
                owner.release();
            }
        }
    }

    /**
     * Sends go first: a receive is held back until the ring is entered. Answers leave earlier, and
     * the kernel, which is most of the cost, repeats one path and then the other:
     * 004-virtual-thread-costs in docs/decisions has what it saves.
     */
    private void add(Op op) {
        if (op.opcode == IORING_OP_RECV && !polled) {
            heldReceives[held++] = op;
        } else {
            publish(op);
        }
    }

    private void publish(Op op) {
        sq.fill(
                op.opcode,
                op.sqeFlags,
                op.fd,
                op.off,
                op.addr,
                op.len,
                op.opFlags,
                op.userData(),
                BufferRing.GROUP);
        sq.publish();
    }

    private void publishHeld() {
        for (int i = 0; i < held; i++) {
            publish(heldReceives[i]);
            heldReceives[i] = null;
        }
        held = 0;
    }

    private boolean isFull() {
        return pending() == sq.entries();
    }

    /** Cancels what the request means if it is still in flight on this ring. */
    public void cancel(Op.Cancel request) {
        Op op = request.op();
        boolean taken = owner.acquire(FILLING);
        try {
            long userData = op.userData(); // of another ring's submission, perhaps: look it up
            if (inFlight.get(userData) != op || !op.isClaim(request.claim())) {
                return;
            }
            if (isFull() && !flush()) {
                // out of kernel memory: nothing can be cancelled until something ends by itself
                throw new IllegalStateException("io_uring takes no submissions: out of memory");
            }
            publishHeld(); // or the kernel would look for what it does not have yet
            sq.fill(IORING_OP_ASYNC_CANCEL, 0, -1, 0, userData, 0, 0, CANCEL, 0);
            sq.publish();
            counters.cancels++;
        } finally {
            if (taken) {
                owner.release();
            }
        }
    }

    /**
     * Limits the kernel's worker threads for operations of the calling thread that can't be polled.
     *
     * @throws RingException if the kernel refuses
     */
    public void limitWorkers(int bounded, int unbounded) throws RingException {
        long counts = RingException.check("mmap", Native.lu_map_anonymous(2 * Integer.BYTES));
        Memory.putInt(counts, bounded);
        Memory.putInt(counts + Integer.BYTES, unbounded);
        int rc = Native.lu_io_uring_register(fd, IORING_REGISTER_IOWQ_MAX_WORKERS, counts, 2);
        Native.lu_unmap(counts, 2 * Integer.BYTES);
        RingException.check("io_uring_register(IOWQ_MAX_WORKERS)", rc);
    }

    /** Makes a signal of this eventfd end a waiting {@link #enter}; for the ring's whole life. */
    public void wakeOn(int eventFd) {
        wakeFd = eventFd;
    }

    private void armWake() {
        // a multishot poll is edge-triggered: each signal posts a CQE, nobody reads the counter
        sq.fill(
                IORING_OP_POLL_ADD,
                0,
                wakeFd,
                0,
                0,
                IORING_POLL_ADD_MULTI,
                SocketAbi.POLLIN,
                WAKE,
                0);
        sq.publish();
        wakeArmed = true;
    }

    /** What the kernel has not taken yet; a hint where there is an {@link SqThread}. */
    int pending() {
        return sq.pending() + held;
    }

    /** Makes room in a full submission queue; false if the kernel keeps refusing. */
    private boolean flush() {
        counters.submissionQueueFull++;
        for (int attempt = 0; isFull(); attempt++) {
            int rc = enterKernel(0, 0); // where there is an SqThread it waits for room
            if (rc < 0 && rc != -Errno.EINTR) {
                reap(); // EBUSY: completions kept back must be reaped first
                if (attempt == FLUSH_ATTEMPTS_MAX) {
                    return false;
                }
                Shim.yieldCpu();
            }
        }
        return true;
    }

    // ---- entering ----

    /** Whether an enter that doesn't wait would do anything. */
    public boolean needsEnter() {
        return needsSubmission() || hasCompletions();
    }

    /** Whether nobody takes what is queued before the kernel is entered. */
    private boolean needsSubmission() {
        return pending() > 0 && (!polled || sqThreadSleeps());
    }

    /**
     * Either this sees that the thread sleeps, or the thread, which says so and then looks at the
     * queue a last time, sees what is published: the kernel has the other fence.
     */
    private boolean sqThreadSleeps() {
        VarHandle.fullFence(); // the tail's store before the load of the flags
        return sq.needsWakeup();
    }

    /** Whether operations have completed that nobody has reaped; by the carrier, as a hint. */
    public boolean hasCompletions() {
        return cq.ready() > 0 || sq.needsEnter();
    }

    /**
     * Submits what is queued, waits for a completion if asked to, reaps.
     *
     * @param waitNanos 0: don't wait; negative: wait without limit
     * @return completions reaped
     */
    public int enter(long waitNanos) {
        owner.acquire(ENTERING);
        try {
            if (!wakeArmed && wakeFd >= 0 && (!isFull() || flush())) {
                armWake();
            }
            boolean wait = waitNanos != 0 && cq.ready() == 0 && !wakeTaken;
            wakeTaken = false;
            if (wait || needsSubmission() || sq.needsEnter()) {
                enterKernel(wait ? 1 : 0, waitNanos);
            }
            return reap();
        } finally {
            owner.release();
        }
    }

    /** One system call; an error that passes is counted and left to the next turn. */
    private int enterKernel(int minComplete, long waitNanos) {
        publishHeld();
        int flags = IORING_ENTER_GETEVENTS;
        long arg = 0;
        int argSize = 0;
        if (minComplete > 0 && waitNanos > 0) {
            flags |= IORING_ENTER_EXT_ARG;
            arg = waitArg;
            argSize = SIZEOF_IO_URING_GETEVENTS_ARG;
            long timespec = waitArg + SIZEOF_IO_URING_GETEVENTS_ARG;
            Memory.putLong(timespec, waitNanos / 1_000_000_000);
            Memory.putLong(timespec + Long.BYTES, waitNanos % 1_000_000_000);
        }
        if (polled) {
            flags |= needsSubmission() ? IORING_ENTER_SQ_WAKEUP : 0;
            flags |= sq.isFull() ? IORING_ENTER_SQ_WAIT : 0;
        }
        if (sq.overflowed()) {
            counters.completionOverflows++;
        }
        counters.enters++;
        int rc = Shim.enter(fd, sq.pending(), minComplete, flags, arg, argSize);
        switch (-rc) {
            case Errno.EINTR, Errno.ETIME -> {}
            case Errno.EAGAIN, Errno.EBUSY -> counters.enterRetries++;
            default -> {
                if (rc < 0) {
                    throw new IllegalStateException("io_uring_enter: " + Errno.message(rc));
                }
            }
        }
        return rc;
    }

    // ---- reaping ----

    /** Takes the completions that are there; makes their waiters runnable, does nothing else. */
    private int reap() {
        int ready = cq.ready();
        for (int i = 0; i < ready; i++) {
            long cqe = cq.first();
            long userData = Memory.getLong(cqe + CQE_USER_DATA);
            int res = Memory.getInt(cqe + CQE_RES);
            int flags = Memory.getInt(cqe + CQE_FLAGS);
            cq.advance();
            if (userData >= 0) {
                complete(userData, res, flags);
            } else if (userData == WAKE) {
                wakeArmed = (flags & IORING_CQE_F_MORE) != 0;
                wakeTaken |= owner.isRescued();
            } else if (userData != CANCEL
                    && res == 0
                    && recalled != null
                    && recalledCount < recalled.length) {
                recalled[recalledCount++] = userData - RECALL;
            }
            // CANCEL: found, already ending (-EALREADY) or ended (-ENOENT); its target tells
        }
        counters.completions += ready;
        return ready;
    }

    private void complete(long userData, int res, int flags) {
        Op op = inFlight.get(userData);
        if ((flags & IORING_CQE_F_BUFFER) != 0) {
            int bid = flags >>> IORING_CQE_BUFFER_SHIFT;
            if (op != null && !op.isLeft() && res > 0) {
                buffers.copy(bid, op.dst, op.dstOffset, res);
            }
            buffers.provide(bid);
        }
        if (op == null) {
            counters.staleCompletions++;
            return;
        }
        if (op.isLeft()) {
            counters.staleCompletions += res == -Errno.ECANCELED ? 0 : 1;
            inFlight.free(userData);
            op.owner().backFromKernel();
            return;
        }
        assert (flags & IORING_CQE_F_MORE) == 0 : "not the final CQE of " + op;
        if (res == -Errno.ENOBUFS && (op.sqeFlags & IOSQE_BUFFER_SELECT) != 0) {
            counters.noProvidedBuffer++;
        }
        inFlight.free(userData);
        LockSupport.unpark(op.completed(res));
    }

    // ---- rescue ----

    /** Whether threads other than its carrier may use the ring, under the owner word. */
    public boolean isShared() {
        return (setupFlags & IORING_SETUP_SINGLE_ISSUER) == 0;
    }

    /**
     * Submits and reaps for a carrier that is stuck outside its ring; any platform thread.
     *
     * @return completions reaped, or -1 if the ring is not to be had now
     */
    public int tryRescue() {
        return beginRescue() ? endRescue() : -1;
    }

    /**
     * Takes the ring from a carrier that is stuck outside it, and only then: whoever waited for a
     * carrier that sleeps in its ring would wait for ever. Until {@link #endRescue} the calling
     * thread may submit and cancel.
     *
     * @return whether it was to be had
     */
    public boolean beginRescue() {
        return owner.tryRescue();
    }

    /** Submits, reaps and gives the ring back; returns completions reaped. */
    public int endRescue() {
        try {
            if (needsSubmission() || sq.needsEnter()) {
                enterKernel(0, 0);
            }
            return reap();
        } finally {
            owner.release();
        }
    }

    /**
     * Lets operations leave that are in flight for a carrier that sleeps uninterruptibly: such a
     * thread runs no task work, so whatever has come for them, the kernel would tell when it wakes.
     * Each is cancelled; one that has not begun ends here, with {@code -ECANCELED}, and its waiter
     * submits it again. The request keeps its slot until its final CQE, which comes when the thread
     * wakes. Between {@link #beginRescue} and {@link #endRescue}.
     *
     * <p>A cancel that succeeds says that the request will do nothing but end; on older kernels
     * with one exception, a thread that is just then on its way from seeing data to taking it. So
     * it counts only if the thread hasn't run.
     *
     * @param asleep whether the thread has not run since before the call
     * @return how many operations went on
     */
    public int moveOn(BooleanSupplier asleep) {
        if (polled) {
            return 0; // the kernel's thread does the task work
        }
        int moved = 0;
        long[] movable = inFlight.movable();
        int room = Math.max(1, sq.entries() / 2); // the completion queue has twice as many
        recalled = new long[movable.length];
        try {
            for (int from = 0; from < movable.length; from += room) {
                recalledCount = 0;
                enterKernel(0, 0);
                for (int i = from; i < Math.min(from + room, movable.length) && !isFull(); i++) {
                    sq.fill(
                            IORING_OP_ASYNC_CANCEL,
                            0,
                            -1,
                            0,
                            movable[i],
                            0,
                            0,
                            RECALL + movable[i],
                            0);
                    sq.publish();
                    counters.cancels++;
                }
                do {
                    enterKernel(0, 0);
                } while (reap() > 0 && sq.needsEnter()); // completions were kept back
                if (asleep.getAsBoolean()) {
                    for (int i = 0; i < recalledCount; i++) {
                        moved += leave(recalled[i]);
                    }
                }
            }
        } finally {
            recalled = null;
        }
        counters.moved += moved;
        return moved;
    }

    private int leave(long userData) {
        Op op = inFlight.get(userData);
        if (op == null || op.isLeft()) {
            return 0; // it has ended meanwhile
        }
        op.owner().leftToKernel();
        inFlight.leave(userData);
        LockSupport.unpark(op.completed(-Errno.ECANCELED));
        return 1;
    }

    // ---- the rest ----

    /** The ring's descriptor: readable when completions wait. */
    public int fd() {
        return fd;
    }

    Consumer<Op.Cancel> cancelSink() {
        return cancelSink;
    }

    /**
     * Operations in flight: a ring is not closed, and its thread not ended, while there are any.
     */
    public int inFlight() {
        return inFlight.inFlight();
    }

    /** Frees descriptor and memory of a ring that has nothing in flight and no user any more. */
    public void close() {
        assert inFlight.inFlight() == 0;
        buffers.close();
        sqThread.close(fd);
        Native.lu_unmap(waitArg, waitArgLength());
        Native.lu_unmap(sqesAddress, sqesLength);
        Native.lu_unmap(ringAddress, ringLength);
    }
}
