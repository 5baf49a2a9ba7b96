package io.loomuring.it;

import io.loomuring.abi.Errno;
import io.loomuring.abi.SocketAbi;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.ring.Op;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A listening socket whose acceptor is cancelled at random while opponents connect: each connection
 * is accepted once, whichever came first.
 */
final class CancelledAcceptor implements Runnable, Opponent.Target, Op.Owner {
    private static final AtomicLong LISTENERS = new AtomicLong();
    private static final int WAITING_MAX = 4; // connections that are not accepted yet
    private static final long LAST = -1;

    private final Op op = new Op(this);
    private final Outcomes outcomes;
    private final String name =
            "loom-uring-it-" + ProcessHandle.current().pid() + "-" + LISTENERS.getAndIncrement();
    private final int listener = Libc.unixListener(name);
    private final AtomicLong tokens = new AtomicLong();
    private final ConcurrentHashMap<Long, Integer> connecting = new ConcurrentHashMap<>();
    private final MemorySegment token = Arena.global().allocate(ValueLayout.JAVA_LONG);
    private volatile Thread acceptor;

    CancelledAcceptor(Outcomes outcomes) {
        this.outcomes = outcomes;
    }

    @Override
    public void run() {
        acceptor = Thread.currentThread();
        try {
            while (accept()) {}
            check(connecting.isEmpty(), connecting.size() + " connections never accepted");
        } catch (Throwable e) {
            outcomes.failure.keep(Thread.currentThread() + " with " + op, e);
        } finally {
            connecting.values().forEach(Libc::close);
            Libc.close(listener);
        }
    }

    private boolean accept() {
        check(op.tryClaim(), "the operation is in use");
        int fd = CarrierIo.accept(op, listener, 0, 0, SocketAbi.SOCK_CLOEXEC, 0);
        boolean cancelled = op.cancelReason() != 0;
        op.release();
        boolean _ = Thread.interrupted();
        if (fd < 0) {
            check(fd == -Errno.ECANCELED, "failed with " + fd);
            check(cancelled, "cancelled by nobody");
            (connecting.isEmpty() ? outcomes.cancelAlone : outcomes.completionCameTooLate)
                    .increment();
            return true;
        }
        (cancelled ? outcomes.cancelCameTooLate : outcomes.completionAlone).increment();
        long id = receiveToken(fd);
        Libc.close(fd);
        Integer peer = connecting.remove(id);
        check(peer != null, "accepted twice: " + id);
        Libc.close(peer);
        return id != LAST;
    }

    private long receiveToken(int fd) {
        var tokenOp = new Op(ignored -> {});
        check(tokenOp.tryClaim(), "a new operation is in use");
        int n = CarrierIo.recv(tokenOp, fd, token.address(), Long.BYTES, 0, 0);
        tokenOp.release();
        boolean _ = Thread.interrupted();
        check(n == Long.BYTES, "token: " + n);
        return token.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public void interrupted(Op interrupted) {
        op.cancel(Op.INTERRUPT);
    }

    @Override
    public void act(Opponent opponent) {
        switch (opponent.random.nextInt(4)) {
            case 0 -> op.cancel(Op.CLOSE);
            case 1 -> {
                Thread thread = acceptor;
                if (thread != null) {
                    thread.interrupt();
                }
            }
            case 2 -> {
                connect(opponent);
                opponent.spin();
                op.cancel(Op.CLOSE);
            }
            default -> {
                op.cancel(Op.CLOSE);
                opponent.spin();
                connect(opponent);
            }
        }
    }

    private void connect(Opponent opponent) {
        if (connecting.size() < WAITING_MAX) {
            connect(opponent.scratch, tokens.getAndIncrement());
        }
    }

    private void connect(MemorySegment scratch, long id) {
        int fd = Libc.unixConnect(name);
        check(fd >= 0, "connect failed with " + fd);
        connecting.put(id, fd);
        scratch.set(ValueLayout.JAVA_LONG, 0, id);
        int n = Libc.send(fd, scratch.asSlice(0, Long.BYTES), Libc.MSG_DONTWAIT);
        check(n == Long.BYTES, "token: " + n);
    }

    /** The last connection: the acceptor ends after it. */
    void end() {
        connect(Arena.global().allocate(ValueLayout.JAVA_LONG), LAST);
    }

    private static void check(boolean condition, String failure) {
        if (!condition) {
            throw new AssertionError(failure);
        }
    }
}
