package io.loomuring.it.soak;

import java.io.Closeable;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends what waits too long where the API has no timeout, by closing it or by an interrupt, and
 * notices what goes on waiting even so. It counts only time in which it ran itself: a process that
 * is stopped is late with nothing.
 */
final class Guard {
    static final int TICK_MILLIS = 50;

    /** What a thread may wait for. */
    final class Watch {
        private final Thread thread = Thread.currentThread();
        private final String name;
        private final boolean interrupts;
        private Closeable target; // guarded by this; null: nothing to end
        private long limit; // guarded by this; ticks; 0: nothing is waited for
        private long hangs; // guarded by this; ticks
        private CompletableFuture<Void> ending; // guarded by this; null: nobody ends the wait

        private Watch(String name, boolean interrupts) {
            this.name = name;
            this.interrupts = interrupts;
        }

        /**
         * A wait begins.
         *
         * @param ends what to close after the limit; null: the API has a timeout of its own
         * @param hangMillis after which it hangs
         */
        synchronized void begin(Closeable ends, int limitMillis, int hangMillis) {
            target = ends;
            limit = ticks + ticksOf(limitMillis);
            hangs = ticks + ticksOf(hangMillis);
        }

        /** What is closed after the limit is known only now. */
        synchronized void ends(Closeable ends) {
            target = ends;
        }

        /** The wait has ended; whoever was about to end it is through with that, too. */
        void end() {
            CompletableFuture<Void> ender;
            synchronized (this) {
                target = null;
                ender = ending;
            }
            if (ender != null) {
                ender.join();
                boolean _ = Thread.interrupted();
            }
            synchronized (this) {
                ending = null;
                limit = 0;
            }
        }

        private synchronized void look() {
            if (limit == 0) {
                return;
            }
            if (ticks > hangs) {
                limit = 0; // said once
                hung.add(name + " hangs:\n" + stackOf(thread));
            } else if (ticks > limit && target != null && ending == null) {
                Closeable late = target;
                var ender = new CompletableFuture<Void>();
                ending = ender;
                // not here: the guard itself must not wait for an operation to end
                Thread.ofVirtual().start(() -> expire(late, ender));
            }
        }

        private void expire(Closeable late, CompletableFuture<Void> ender) {
            try {
                if (interrupts) {
                    thread.interrupt();
                } else {
                    late.close();
                }
            } catch (IOException e) {
                // closed is closed
            } finally {
                ender.complete(null);
            }
        }
    }

    private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
    private final Set<String> hung = ConcurrentHashMap.newKeySet();
    private volatile long ticks = 1;

    Guard() {
        Thread.ofPlatform().daemon().name("guard").start(this::run);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void run() {
        while (true) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS));
            ticks++;
            watches.forEach(Watch::look);
        }
    }

    private static long ticksOf(int millis) {
        return Math.max(1, millis / TICK_MILLIS);
    }

    private static String stackOf(Thread thread) {
        var text = new StringBuilder();
        for (StackTraceElement frame : thread.getStackTrace()) {
            text.append("    at ").append(frame).append('\n');
        }
        return text.toString();
    }

    /** For the waits of the calling thread. */
    Watch watch(String name, boolean interrupts) {
        var watch = new Watch(name, interrupts);
        watches.add(watch);
        return watch;
    }

    void forget(Watch watch) {
        watches.remove(watch);
    }

    /** What hung so far. */
    Set<String> hung() {
        return hung;
    }
}
