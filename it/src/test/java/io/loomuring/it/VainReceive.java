package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.ring.Op;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** One receive for which nothing is ever sent: only a cancel ends it. */
final class VainReceive implements AutoCloseable {
    static final long NO_TIMEOUT = 0;
    static final long TIMEOUT_NANOS = 1_000_000;

    private final int[] pair = Libc.unixPair();
    private final GuardedBuffer buffer = GuardedBuffer.offHeap(1);
    private final AtomicInteger result = new AtomicInteger();
    private final Op op = new Op(VainReceive::interrupted);

    private static void interrupted(Op op) {
        op.cancel(Op.INTERRUPT);
    }

    Op op() {
        return op;
    }

    /** By the receiving thread. */
    void run(Consumer<Op> afterClaim, long timeoutNanos) {
        assertThat(op.tryClaim()).isTrue();
        afterClaim.accept(op);
        int n = CarrierIo.recv(op, pair[0], buffer.address(), buffer.capacity(), 0, timeoutNanos);
        assertThat(op.cancelReason()).isNotZero();
        op.release();
        buffer.checkUntouched();
        result.set(n);
    }

    void awaitInFlight() {
        Patience.await(() -> "never in flight: " + op, Contest.END_WAIT, op::inFlight);
    }

    void awaitCancelled(Thread receiver) {
        if (receiver.getState() == Thread.State.NEW) {
            receiver.start();
        }
        Patience.join(List.of(receiver), Contest.END_WAIT);
        assertThat(result.get()).isEqualTo(-Errno.ECANCELED);
    }

    @Override
    public void close() {
        Libc.close(pair[0]);
        Libc.close(pair[1]);
    }
}
