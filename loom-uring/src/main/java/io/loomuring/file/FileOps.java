package io.loomuring.file;

import io.loomuring.ring.Op;

import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The operations of an open file and their end: as many as threads were inside at a time, each
 * reused. The descriptor is given up when every one is retired, so never while one is in use.
 *
 * <pre>
 *            beginClose                 last operation retired
 *     OPEN --------------> CLOSING ------------------------------> IDLE (unused is run, once)
 * </pre>
 *
 * A claim is one compare-and-set: a thread looks for a free operation from a place of its own on.
 * Claimers and closer meet as Dekker's two parties do, by full fences: the closer sets {@code
 * closing} and then retires each operation, or cancels it if it is claimed; a claimer releases and
 * then looks for {@code closing}, and retires it if so. Exactly one of them retires each operation.
 */
final class FileOps {
    private final Op.Owner owner;
    private final Runnable unused;

    private volatile Op[] ops; // a power of two; guarded by this to change
    private volatile boolean closing; // guarded by this to change
    private final AtomicInteger inUse = new AtomicInteger(1); // operations that are not retired

    /**
     * @param unused run once, by the thread that retires the last operation: nothing uses the
     *     descriptor any more, and nothing will
     */
    FileOps(Op.Owner owner, Runnable unused) {
        this.owner = owner;
        this.unused = unused;
        ops = new Op[] {new Op(owner)};
    }

    boolean isClosing() {
        return closing;
    }

    /** An operation that is the calling thread's until {@link #release}. */
    Op claim() throws ClosedChannelException {
        int start = (int) Thread.currentThread().threadId();
        while (true) {
            Op[] all = ops;
            for (int i = 0; i < all.length; i++) {
                Op op = all[(start + i) & (all.length - 1)];
                if (op.tryClaim()) {
                    return op;
                }
            }
            Op added = addClaimed(all);
            if (added != null) {
                return added;
            }
        }
    }

    /** Null if others have added some since the caller looked: each of many would double them. */
    private synchronized Op addClaimed(Op[] seen) throws ClosedChannelException {
        if (closing) {
            throw new ClosedChannelException();
        }
        if (ops.length > seen.length) {
            return null;
        }
        Op[] all = Arrays.copyOf(seen, 2 * seen.length);
        for (int i = seen.length; i < all.length; i++) {
            all[i] = new Op(owner);
        }
        Op op = all[seen.length];
        boolean claimed = op.tryClaim();
        assert claimed : op;
        inUse.addAndGet(seen.length);
        ops = all;
        return op;
    }

    /** How many there are, in use or not. */
    int count() {
        return ops.length;
    }

    void release(Op op) {
        op.release();
        if (closing && op.tryRetire()) {
            retired();
        }
    }

    /** Ends the file's use, without waiting for anybody; false if that was done before. */
    boolean beginClose() {
        synchronized (this) {
            if (closing) {
                return false;
            }
            closing = true;
        }
        for (Op op : ops) {
            if (op.tryRetire()) {
                retired();
            } else {
                op.cancel(Op.CLOSE); // its claimer retires it
            }
        }
        return true;
    }

    private void retired() {
        if (inUse.decrementAndGet() == 0) {
            unused.run();
        }
    }
}
