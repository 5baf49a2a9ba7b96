package io.loomuring.ring;

import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.observe.Counters;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** A ring used by the test's thread, which also is its operations' waiter. */
final class RingFixture implements AutoCloseable {
    /** A wait that ends so is a failure. */
    static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(20);

    static {
        Native.load();
    }

    final Counters counters = new Counters();
    final Ring ring;

    /** What cancellers asked for and {@link #deliverCancels} has not brought to the ring yet. */
    final Queue<Op.Cancel> cancels = new ConcurrentLinkedQueue<>();

    private final int eventFd = Native.lu_eventfd();

    RingFixture(int entries, int completionEntries, SetupFlags flags) throws RingException {
        if (flags.polled()) {
            SqPolling.assumeAllowed();
        }
        ring =
                new Ring(
                        entries,
                        completionEntries,
                        flags.bits(),
                        flags.sqThread(),
                        counters,
                        this::cancelLater);
        ring.wakeOn(eventFd);
    }

    private void cancelLater(Op.Cancel request) {
        cancels.add(request);
        wake();
    }

    /** Ends a wait in the ring. */
    void wake() {
        Shim.signal(eventFd);
    }

    /** A new operation, claimed by the calling thread. */
    static Op claimedOp() {
        var op = new Op(_ -> {});
        claim(op);
        return op;
    }

    static void claim(Op op) {
        if (!op.tryClaim()) {
            throw new AssertionError("not free: " + op);
        }
        op.waitOn(Thread.currentThread());
    }

    void deliverCancels() {
        for (Op.Cancel request; (request = cancels.poll()) != null; ) {
            ring.cancel(request);
        }
    }

    /** Enters and delivers cancels until the operation has ended; returns its result. */
    int await(Op op) {
        long deadline = System.nanoTime() + LONG_NANOS;
        while (op.inFlight()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("still in flight: " + op);
            }
            deliverCancels();
            ring.enter(LONG_NANOS);
        }
        return op.result();
    }

    /** Reaps until the kernel has taken all that was queued and brings nothing more. */
    void enterUntilQuiet() {
        int reaped;
        do {
            reaped = ring.enter(0);
        } while (reaped > 0 || ring.pending() > 0 || ring.hasCompletions());
    }

    int submitAndAwait(Op op) {
        ring.submit(op);
        return await(op);
    }

    int cancelAndAwait(Op op) {
        op.cancel(Op.CLOSE);
        return await(op);
    }

    @Override
    public void close() {
        ring.close();
        Native.lu_close(eventFd);
    }
}
