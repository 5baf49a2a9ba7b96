package io.loomuring.carrier;

import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A task due at a time: what the JDK gets for a timed park. It is cancelled most of the time, and
 * then leaves its carrier's heap at once, or by the carrier's inbox if cancelled elsewhere.
 */
final class Deadline implements ScheduledFuture<Object> {
    private static final int PENDING = 0;
    private static final int FIRED = 1;
    private static final int CANCELLED = 2;

    final long nanoTime; // System.nanoTime() when due
    int heapIndex = -1; // guarded by the carrier's deadlines
    private Runnable task; // null once cancelled: it keeps a virtual thread alive
    private final Carrier home;
    private final AtomicInteger state = new AtomicInteger(PENDING);

    Deadline(Runnable task, long nanoTime, Carrier home) {
        this.task = task;
        this.nanoTime = nanoTime;
        this.home = home;
    }

    /** By the carrier or its rescuer, once it has left the heap. */
    void fire() {
        if (state.compareAndSet(PENDING, FIRED)) {
            task.run();
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (!state.compareAndSet(PENDING, CANCELLED)) {
            return false;
        }
        task = null;
        home.remove(this);
        return true;
    }

    @Override
    public boolean isCancelled() {
        return state.get() == CANCELLED;
    }

    @Override
    public boolean isDone() {
        return state.get() != PENDING;
    }

    @Override
    public long getDelay(TimeUnit unit) {
        return unit.convert(nanoTime - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
        return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }

    /** The scheduler's timed tasks have no result that anybody waits for. */
    @Override
    public Object get() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Object get(long timeout, TimeUnit unit) throws TimeoutException {
        throw new UnsupportedOperationException();
    }
}
