package io.loomuring.net;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.loomuring.ring.Op;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Use and close of a descriptor by one or two operations. An operation's claim is that direction's
 * lock; the descriptor is given up when every operation is retired, so never while one is in use.
 *
 * <pre>
 *            beginClose                 last operation retired
 *     OPEN --------------> CLOSING ------------------------------> IDLE (unused is called, once)
 * </pre>
 *
 * Claimers and closer meet as Dekker's two parties do, by full fences: the closer sets {@code
 * CLOSING} and then retires each operation, or cancels it if it is claimed; a claimer releases and
 * then looks for {@code CLOSING}, and retires it if so. Exactly one of them retires each operation.
 * Waiting claimers and the releaser meet in the same way. Both look at one word, {@code attention},
 * which is 0 in all but rare cases: that is all that a release pays for close and contention.
 */
abstract class FdLife implements Op.Owner {
    // Bits of attention
    private static final int CLOSING = 1;
    private static final int WAITER = 2; // times the number of threads that wait for a claim

    /** What a timed claim returns if it fails for lack of time. */
    static final long TIMED_OUT = -1;

    private static final VarHandle ATTENTION;
    private static final VarHandle IN_USE;
    private static final VarHandle QUEUES;

    static {
        try {
            var lookup = MethodHandles.lookup();
            ATTENTION = lookup.findVarHandle(FdLife.class, "attention", int.class);
            IN_USE = lookup.findVarHandle(FdLife.class, "inUse", int.class);
            QUEUES = lookup.findVarHandle(FdLife.class, "queues", Queues.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The operation that reads, connects or accepts. */
    final Op readOp;

    /** The operation that writes; that of a listening socket is its {@link #readOp}. */
    final Op writeOp;

    private volatile Queues queues; // null until a claim has to wait: few descriptors ever need it
    private volatile int attention;
    private volatile int inUse; // operations that are not retired

    /** Threads that wait for one operation: the first for its release, the others for the lock. */
    private static final class Queue {
        final ReentrantLock lock = new ReentrantLock();
        volatile Thread first;
    }

    private static final class Queues {
        final Queue readers = new Queue();
        final Queue writers = new Queue();
    }

    FdLife(int directions) {
        assert directions == 1 || directions == 2 : directions;
        readOp = new Op(this);
        writeOp = directions == 1 ? readOp : new Op(this);
        inUse = directions;
    }

    /**
     * Called once, by the thread that retired the last operation: nothing uses the descriptor any
     * more, and nothing will.
     */
    abstract void unused();

    /** What a caller gets who comes after close. */
    abstract IOException closed();

    /** Makes the calling thread the user of an operation; waits for the user before it, if any. */
    final void claim(Op op) throws IOException {
        claim(op, 0);
    }

    /**
     * As {@link #claim(Op)}, but not for longer than a time.
     *
     * @param timeoutNanos 0 for no limit
     * @return what remains of it, or {@link #TIMED_OUT} without the claim
     */
    final long claim(Op op, long timeoutNanos) throws IOException {
        return op.tryClaim() ? timeoutNanos : claimInTurn(op, timeoutNanos);
    }

    /** Claims both operations, which ends as one claim does: all or nothing. */
    final void claimBoth() throws IOException {
        claim(readOp);
        boolean done = false;
        try {
            claim(writeOp);
            done = true;
        } finally {
            if (!done) {
                release(readOp);
            }
        }
    }

    final void releaseBoth() {
        release(writeOp);
        release(readOp);
    }

    /** Ends the calling thread's use of an operation. */
    final void release(Op op) {
        op.release();
        if (attention != 0) {
            attend(op);
        }
    }

    private void attend(Op op) {
        if ((attention & CLOSING) != 0 && op.tryRetire()) {
            retired(op);
        } else {
            unparkFirst(op);
        }
    }

    /** Waits for an operation, deaf to interrupts. */
    private long claimInTurn(Op op, long timeoutNanos) throws IOException {
        if (op.isRetired()) {
            throw closed();
        }
        if (queues == null) {
            QUEUES.compareAndSet(this, null, new Queues());
        }
        boolean timed = timeoutNanos > 0;
        long deadline = timed ? System.nanoTime() + timeoutNanos : 0;
        ReentrantLock lock = queue(op).lock;
        if (!timed) {
            lock.lock();
        } else if (!tryLock(lock, deadline)) {
            return TIMED_OUT;
        }
        try {
            return claimAsFirst(op, timed, deadline);
        } finally {
            lock.unlock();
        }
    }

    private static boolean tryLock(ReentrantLock lock, long deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return lock.tryLock(deadline - System.nanoTime(), NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private long claimAsFirst(Op op, boolean timed, long deadline) throws IOException {
        boolean interrupted = false;
        queue(op).first = Thread.currentThread();
        ATTENTION.getAndAdd(this, WAITER);
        try {
            while (!op.tryClaim()) {
                if (op.isRetired()) {
                    throw closed();
                }
                long nanos = timed ? deadline - System.nanoTime() : 0;
                if (timed && nanos <= 0) {
                    return TIMED_OUT;
                }
                if (timed) {
                    LockSupport.parkNanos(this, nanos);
                } else {
                    LockSupport.park(this);
                }
                interrupted |= Thread.interrupted();
            }
            return timed ? Math.max(1, deadline - System.nanoTime()) : 0;
        } finally {
            ATTENTION.getAndAdd(this, -WAITER);
            queue(op).first = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Queue queue(Op op) {
        return op == readOp ? queues.readers : queues.writers;
    }

    /** A thread that waits made its queue before it asked for attention. */
    private void unparkFirst(Op op) {
        if (queues != null) {
            LockSupport.unpark(queue(op).first);
        }
    }

    /** Ends the descriptor's use: once, and without waiting for anybody. */
    final void beginClose() {
        int before = (int) ATTENTION.getAndBitwiseOr(this, CLOSING);
        assert (before & CLOSING) == 0;
        retireOrCancel(readOp);
        if (writeOp != readOp) {
            retireOrCancel(writeOp);
        }
    }

    private void retireOrCancel(Op op) {
        if (op.tryRetire()) {
            retired(op);
        } else {
            op.cancel(Op.CLOSE); // its claimer retires it
        }
    }

    private void retired(Op op) {
        unparkFirst(op);
        int before = (int) IN_USE.getAndAdd(this, -1);
        assert before > 0;
        if (before == 1) {
            unused();
        }
    }

    /** Whether {@link #unused} was called or is about to be. */
    final boolean isUnused() {
        return inUse == 0;
    }
}
