package io.loomuring.it;

import java.util.concurrent.atomic.AtomicReference;

/** What went wrong first in any of a test's threads. */
final class FirstFailure {
    /** What a thread does. */
    @FunctionalInterface
    interface Task {
        void run() throws Exception;
    }

    private final AtomicReference<Throwable> first = new AtomicReference<>();

    /** A task whose failure is kept, with the name of what failed. */
    Runnable guard(String name, Task task) {
        return () -> {
            try {
                task.run();
            } catch (Throwable e) {
                keep(name, e);
            }
        };
    }

    void keep(String name, Throwable error) {
        first.compareAndSet(null, new AssertionError(name + ": " + error, error));
    }

    boolean isThere() {
        return first.get() != null;
    }

    /** Throws it, if there is one. */
    void rethrow() {
        Throwable error = first.get();
        if (error != null) {
            throw new AssertionError(error.getMessage(), error);
        }
    }
}
