package io.loomuring.tls;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * A virtual thread at work.
 *
 * @param <T> of its result
 */
final class Background<T> {
    private static final long LIMIT_SECONDS = 20;
    private static final long PAUSE_NANOS = 200_000;

    private final FutureTask<T> task;
    final Thread thread;

    private Background(Callable<T> body) {
        task = new FutureTask<>(body);
        thread = Thread.ofVirtual().start(task);
    }

    static <T> Background<T> start(Callable<T> body) {
        return new Background<>(body);
    }

    /** Its result; or what it threw, in an AssertionError. */
    T result() {
        try {
            return task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("in " + thread + ": " + e.getCause(), e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no end of " + thread, e);
        }
    }

    /** What it threw; null: nothing. */
    Throwable failure() {
        try {
            task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no end of " + thread, e);
        }
    }

    /** Waits until it waits. */
    Background<T> awaitBlocked() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (thread.getState() != Thread.State.WAITING
                && thread.getState() != Thread.State.TIMED_WAITING) {
            if (task.isDone() || System.nanoTime() - deadline > 0) {
                throw new AssertionError("does not wait: " + thread.getState());
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return this;
    }
}
