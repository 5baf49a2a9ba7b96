package io.loomuring.carrier;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;

/** The kinds of thread that do I/O of ours. */
enum ThreadKind {
    /** A virtual thread on a carrier of ours. */
    VIRTUAL {
        @Override
        ThreadFactory factory() {
            return Thread.ofVirtual().factory();
        }
    },

    PLATFORM {
        @Override
        ThreadFactory factory() {
            return Thread.ofPlatform().daemon().factory();
        }
    },

    /** A virtual thread on the JDK's scheduler: an ancestor of it was created before ours. */
    FOREIGN {
        @Override
        ThreadFactory factory() {
            return ThreadKind::newForeign;
        }
    };

    private static final LinkedBlockingQueue<Runnable> FOREIGN_TASKS = new LinkedBlockingQueue<>();

    abstract ThreadFactory factory();

    /** To be called before the carriers are installed. */
    static void startForeign() {
        Thread.ofVirtual()
                .start(() -> {
                    while (true) {
                        try {
                            FOREIGN_TASKS.take().run();
                        } catch (InterruptedException e) {
                            return;
                        }
                    }
                });
    }

    private static Thread newForeign(Runnable body) {
        var thread = new CompletableFuture<Thread>();
        FOREIGN_TASKS.add(() -> thread.complete(Thread.ofVirtual().unstarted(body)));
        return thread.join();
    }
}
