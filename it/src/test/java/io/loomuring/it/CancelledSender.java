package io.loomuring.it;

import io.loomuring.abi.Errno;
import io.loomuring.abi.SocketAbi;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.ring.Op;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * A connection whose sender is cancelled and interrupted at random while its peer reads too slowly:
 * the peer must get exactly the bytes that the sender was told were sent, although the sender fills
 * its buffers with something else as soon as it has them back.
 */
final class CancelledSender implements Runnable, Opponent.Target, Op.Owner {
    private static final int CAPACITY = 32 * 1024;

    private final Op op = new Op(this);
    private final SplittableRandom random;
    private final BooleanSupplier done;
    private final Outcomes outcomes;
    private final GuardedBuffer offHeap = GuardedBuffer.offHeap(CAPACITY);
    private final GuardedBuffer onHeap = GuardedBuffer.onHeap(CAPACITY);
    private final int sendFd;
    private final int receiveFd;
    private volatile Thread sender;
    private final AtomicLong sent = new AtomicLong();

    CancelledSender(boolean tcp, SplittableRandom random, BooleanSupplier done, Outcomes outcomes) {
        this.random = random;
        this.done = done;
        this.outcomes = outcomes;
        int[] pair = tcp ? Libc.tcpPair() : Libc.unixPair();
        sendFd = pair[0];
        receiveFd = pair[1];
        Libc.shortenQueues(sendFd, receiveFd);
    }

    @Override
    public void run() {
        sender = Thread.currentThread();
        try {
            while (!done.getAsBoolean()) {
                send(random.nextBoolean() ? offHeap : onHeap);
            }
        } catch (Throwable e) {
            outcomes.failure.keep(Thread.currentThread() + " with " + op, e);
        } finally {
            Libc.shutdownOutput(sendFd);
        }
    }

    private void send(GuardedBuffer buffer) {
        int length = 1 + random.nextInt(buffer.capacity());
        NumberedStream.fill(buffer.data().asSlice(0, length), sent.get());
        int flags = SocketAbi.MSG_NOSIGNAL | (random.nextBoolean() ? SocketAbi.MSG_WAITALL : 0);
        check(op.tryClaim(), "the operation is in use");
        int n =
                buffer.isOnHeap()
                        ? CarrierIo.sendHeap(op, sendFd, buffer.heap(), buffer.position(), length)
                        : CarrierIo.send(op, sendFd, buffer.address(), length, flags);
        boolean cancelled = op.cancelReason() != 0;
        op.release();
        buffer.retire();
        boolean _ = Thread.interrupted();
        if (n > 0) {
            check(n <= length, "sent " + n + " of " + length);
            sent.addAndGet(n);
            if (!cancelled) {
                outcomes.completionAlone.increment();
            } else if (n < length) {
                outcomes.completionCameTooLate.increment();
            } else {
                outcomes.cancelCameTooLate.increment();
            }
        } else {
            check(n == -Errno.ECANCELED, "failed with " + n);
            check(cancelled, "cancelled by nobody");
            outcomes.cancelAlone.increment();
        }
    }

    /** The peer's thread. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing pre-empts a virtual thread
    void drain() {
        var drainOp = new Op(ignored -> {});
        GuardedBuffer buffer = GuardedBuffer.offHeap(CAPACITY);
        long received = 0;
        try {
            int n;
            do {
                check(drainOp.tryClaim(), "the operation is in use");
                int length = 1 + (int) (received * 31 % buffer.capacity());
                n = CarrierIo.recv(drainOp, receiveFd, buffer.address(), length, 0, 0);
                drainOp.release();
                check(n >= 0, "receive failed with " + n);
                buffer.checkReceived(n, received);
                buffer.retire();
                received += n;
                Thread.yield();
            } while (n > 0);
            check(received == sent.get(), "received " + received + " of " + sent);
        } catch (Throwable e) {
            outcomes.failure.keep("drain", e);
        } finally {
            Libc.close(receiveFd);
            Libc.close(sendFd);
        }
    }

    @Override
    public void interrupted(Op interrupted) {
        op.cancel(Op.INTERRUPT);
    }

    @Override
    public void act(Opponent opponent) {
        opponent.spin();
        Thread thread = sender;
        if (opponent.random.nextInt(4) != 0) {
            op.cancel(Op.CLOSE);
        } else if (thread != null) {
            thread.interrupt();
        }
    }

    private static void check(boolean condition, String failure) {
        if (!condition) {
            throw new AssertionError(failure);
        }
    }
}
