package io.loomuring.testing;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;

/**
 * A thread at work: its result, or what it threw, is the test's.
 *
 * @param <T> of the result
 */
public final class Running<T> {
    private final FutureTask<T> task;
    private final Thread thread;

    private Running(ThreadFactory threads, Callable<T> body) {
        task = new FutureTask<>(body);
        thread = threads.newThread(task);
        thread.start();
    }

    /** What a thread does that has no result. */
    @FunctionalInterface
    public interface Body {
        void run() throws Exception;
    }

    /** Starts a thread. */
    public static <T> Running<T> on(ThreadFactory threads, Callable<T> body) {
        return new Running<>(threads, body);
    }

    /** Starts a thread that has no result. */
    public static Running<Void> on(ThreadFactory threads, Body body) {
        return on(
                threads,
                () -> {
                    body.run();
                    return null;
                });
    }

    /** Starts a daemon platform thread. */
    public static <T> Running<T> onPlatform(Callable<T> body) {
        return on(Thread.ofPlatform().daemon().factory(), body);
    }

    /** Starts a daemon platform thread that has no result. */
    public static Running<Void> onPlatform(Body body) {
        return on(Thread.ofPlatform().daemon().factory(), body);
    }

    /** Starts a virtual thread. */
    public static <T> Running<T> onVirtual(Callable<T> body) {
        return on(Thread.ofVirtual().factory(), body);
    }

    /** Starts a virtual thread that has no result. */
    public static Running<Void> onVirtual(Body body) {
        return on(Thread.ofVirtual().factory(), body);
    }

    public Thread thread() {
        return thread;
    }

    public boolean isDone() {
        return task.isDone();
    }

    /** Waits for the end; throws what the thread threw. */
    public T result() throws Exception {
        Await.ended(thread);
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new AssertionError("in " + thread + ": " + e.getCause(), e.getCause());
        }
    }

    /** Waits for the end of all of them; throws what the first of them threw. */
    public static void allEnd(Iterable<? extends Running<?>> all) throws Exception {
        for (Running<?> running : all) {
            running.result();
        }
    }
}
