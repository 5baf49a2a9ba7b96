package io.loomuring.it;

import io.loomuring.abi.Errno;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.ring.Op;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection whose receiver is cancelled, interrupted and timed out at random while opponents
 * send a numbered stream: not one byte of it may be lost, doubled or written to a buffer that the
 * receiver has back.
 */
final class CancelledReceiver implements Runnable, Opponent.Target, Op.Owner {
    private static final int[] CAPACITIES = {1, 16, 100, 1000, 20_000};
    private static final int UNREAD_MAX = 8 * 1024; // bytes
    private static final int TIMEOUT_NANOS_MAX = 200_000;
    private static final int TIMED_ONE_IN = 4;
    private static final int REOPENED_ONE_IN = 64;

    private final Op op = new Op(this);
    private final boolean tcp;
    private final SplittableRandom random;
    private final Outcomes outcomes;
    private final GuardedBuffer[] buffers = new GuardedBuffer[2 * CAPACITIES.length];
    private final MemorySegment peeked = Arena.global().allocate(1);
    private final ReentrantLock sending = new ReentrantLock();

    private int receiveFd; // written by the receiver under `sending`
    private int sendFd; // guarded by `sending`
    private long first; // position in the stream where the connection began; as receiveFd
    private long sent; // guarded by `sending`
    private boolean ended; // guarded by `sending`
    private final AtomicLong received = new AtomicLong(); // written by the receiver
    private volatile Thread receiver;

    CancelledReceiver(boolean tcp, SplittableRandom random, Outcomes outcomes) {
        this.tcp = tcp;
        this.random = random;
        this.outcomes = outcomes;
        for (int i = 0; i < CAPACITIES.length; i++) {
            buffers[2 * i] = GuardedBuffer.offHeap(CAPACITIES[i]);
            buffers[2 * i + 1] = GuardedBuffer.onHeap(CAPACITIES[i]);
        }
        open();
    }

    private void open() {
        int[] pair = tcp ? Libc.tcpPair() : Libc.unixPair();
        receiveFd = pair[0];
        sendFd = pair[1];
        first = random.nextInt(1 << 20);
        sent = 0;
        received.set(0);
    }

    // ---- the receiver ----

    @Override
    public void run() {
        receiver = Thread.currentThread();
        try {
            while (receive(buffers[random.nextInt(buffers.length)])) {}
        } catch (Throwable e) {
            outcomes.failure.keep(Thread.currentThread() + " with " + op, e);
        } finally {
            close();
        }
    }

    private boolean receive(GuardedBuffer buffer) {
        buffer.checkUntouched();
        int length = 1 + random.nextInt(buffer.capacity());
        long timeout =
                random.nextInt(TIMED_ONE_IN) == 0 ? 1 + random.nextInt(TIMEOUT_NANOS_MAX) : 0;
        check(op.tryClaim(), "the operation is in use");
        int n =
                buffer.isOnHeap()
                        ? CarrierIo.recvHeap(
                                op, receiveFd, buffer.heap(), buffer.position(), length, timeout)
                        : CarrierIo.recv(op, receiveFd, buffer.address(), length, 0, timeout);
        boolean cancelled = op.cancelReason() != 0;
        op.release();
        boolean _ = Thread.interrupted();
        if (n > 0) {
            check(n <= length, "received " + n + " of at most " + length);
            buffer.checkReceived(n, first + received.get());
            received.addAndGet(n);
            (cancelled ? outcomes.cancelCameTooLate : outcomes.completionAlone).increment();
        } else if (n == -Errno.ECANCELED) {
            check(cancelled, "cancelled by nobody");
            buffer.checkUntouched();
            boolean near = Libc.recv(receiveFd, peeked, Libc.MSG_PEEK | Libc.MSG_DONTWAIT) > 0;
            (near ? outcomes.completionCameTooLate : outcomes.cancelAlone).increment();
            if (random.nextInt(REOPENED_ONE_IN) == 0) {
                reopen();
            }
        } else {
            check(n == 0, "failed with " + n);
            buffer.checkUntouched();
        }
        buffer.retire();
        return n != 0;
    }

    /** Another connection on the same numbers: an operation left over would meet it. */
    private void reopen() {
        sending.lock();
        try {
            if (!ended) {
                Libc.close(receiveFd);
                Libc.close(sendFd);
                open();
            }
        } finally {
            sending.unlock();
        }
    }

    private void close() {
        sending.lock();
        try {
            if (!outcomes.failure.isThere() && received.get() != sent) {
                outcomes.failure.keep(
                        Thread.currentThread().toString(),
                        new AssertionError("received " + received + " of " + sent));
            }
            Libc.close(receiveFd);
            Libc.close(sendFd);
        } finally {
            sending.unlock();
        }
    }

    @Override
    public void interrupted(Op interrupted) {
        if (random.nextBoolean()) {
            op.cancel(Op.INTERRUPT);
        }
    }

    // ---- the opponents ----

    @Override
    public void act(Opponent opponent) {
        switch (opponent.random.nextInt(8)) {
            case 0, 1 -> op.cancel(Op.CLOSE);
            case 2 -> send(opponent);
            case 3, 4 -> {
                op.cancel(Op.CLOSE);
                opponent.spin();
                send(opponent);
            }
            case 5, 6 -> {
                send(opponent);
                opponent.spin();
                op.cancel(Op.CLOSE);
            }
            default -> {
                Thread thread = receiver;
                if (thread != null) {
                    thread.interrupt();
                }
            }
        }
    }

    private void send(Opponent opponent) {
        if (!sending.tryLock()) {
            return;
        }
        try {
            int length = 1 + opponent.random.nextInt((int) opponent.scratch.byteSize());
            if (!ended && sent - received.get() + length <= UNREAD_MAX) {
                MemorySegment data = opponent.scratch.asSlice(0, length);
                NumberedStream.fill(data, first + sent);
                int n = Libc.send(sendFd, data, Libc.MSG_DONTWAIT);
                check(n > 0 || n == -Libc.EAGAIN, "send failed with " + n);
                sent += Math.max(0, n);
            }
        } finally {
            sending.unlock();
        }
    }

    /** Ends the stream: the receiver reads what is left, then the end. */
    void end() {
        sending.lock();
        try {
            if (!ended) {
                ended = true;
                Libc.shutdownOutput(sendFd);
            }
        } finally {
            sending.unlock();
        }
    }

    private static void check(boolean condition, String failure) {
        if (!condition) {
            throw new AssertionError(failure);
        }
    }
}
