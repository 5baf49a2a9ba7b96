package io.loomuring.net;

import io.loomuring.LoomUring;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** The kinds of threads that call us. The first use installs the carriers. */
public enum ThreadKind {
    /** A virtual thread of ours. */
    VIRTUAL {
        @Override
        public Thread start(Runnable body) {
            return Thread.ofVirtual().start(body);
        }
    },
    /** A platform thread. */
    PLATFORM {
        @Override
        public Thread start(Runnable body) {
            return Thread.ofPlatform().daemon().start(body);
        }
    },
    /** A virtual thread on the JDK's scheduler. */
    FOREIGN {
        @Override
        public Thread start(Runnable body) {
            try {
                var request = new Request(body, new ArrayBlockingQueue<>(1));
                REQUESTS.put(request);
                return request.started.take();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    };

    private record Request(Runnable body, BlockingQueue<Thread> started) {}

    private static final BlockingQueue<Request> REQUESTS = new ArrayBlockingQueue<>(1);

    static {
        // older than the carriers, so that its children inherit the JDK's scheduler
        Thread.ofVirtual().start(ThreadKind::serve);
        LoomUring.install();
    }

    private static void serve() {
        try {
            while (true) {
                Request request = REQUESTS.take();
                request.started.put(Thread.ofVirtual().start(request.body));
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Starts a thread of this kind. */
    public abstract Thread start(Runnable body);
}
