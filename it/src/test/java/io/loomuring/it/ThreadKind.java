package io.loomuring.it;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/** The kinds of threads that use our channels. */
enum ThreadKind {
    /** A virtual thread on our carriers. */
    VIRTUAL,
    /** A platform thread. */
    PLATFORM,
    /** A virtual thread that another scheduler carries. */
    FOREIGN;

    private static final int FOREIGN_CARRIERS = 2;

    /** What carries foreign threads. */
    private static final class ForeignScheduler {
        static final Executor EXECUTOR =
                Executors.newFixedThreadPool(
                        FOREIGN_CARRIERS,
                        Thread.ofPlatform().daemon().name("foreign-carrier-", 1).factory());
        static final Method NEW_THREAD;

        static {
            try {
                // the agent opens java.lang to unnamed modules
                NEW_THREAD =
                        Class.forName("java.lang.ThreadBuilders")
                                .getDeclaredMethod(
                                        "newVirtualThread",
                                        Executor.class,
                                        String.class,
                                        int.class,
                                        Runnable.class);
                NEW_THREAD.setAccessible(true);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("no constructor of virtual threads with a scheduler", e);
            }
        }
    }

    /** A new thread of this kind; to be started by a platform thread. */
    Thread unstarted(String name, Runnable task) {
        return switch (this) {
            case VIRTUAL -> Thread.ofVirtual().name(name).unstarted(task);
            case PLATFORM -> Thread.ofPlatform().daemon().name(name).unstarted(task);
            case FOREIGN -> {
                try {
                    yield (Thread)
                            ForeignScheduler.NEW_THREAD.invoke(
                                    null, ForeignScheduler.EXECUTOR, name, 0, task);
                } catch (IllegalAccessException | InvocationTargetException e) {
                    throw new LinkageError("no virtual threads with a scheduler of their own", e);
                }
            }
        };
    }
}
