package io.loomuring.dns;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many a server may be asked by at a time, as a time to wait. Some ask at once; whoever comes
 * beyond the window waits for his turn, and the window grows by him. A thousand questions at one
 * instant would overflow the server's receive buffer, and their thousand answers, which come as the
 * questions went, would keep the carriers from everything else.
 *
 * <p>What was not used for a while is known no more, as with TCP's congestion window (RFC 5681,
 * section 4.1): the window is small again.
 *
 * <p>Times are those of {@link System#nanoTime}. For any thread.
 */
final class Window {
    static final int AT_ONCE = 32;
    static final long TURN_NANOS = 240_000;
    static final long KEPT_NANOS = 100_000_000;

    private final AtomicInteger inside = new AtomicInteger(); // they ask, or wait for their turn
    private int size = AT_ONCE; // guarded by this
    private long usedNanos; // guarded by this; when somebody was beyond AT_ONCE last
    private long lastTurnNanos; // guarded by this

    Window(long nowNanos) {
        usedNanos = nowNanos;
        lastTurnNanos = nowNanos;
    }

    /**
     * Counts the caller in, until {@link #leave}.
     *
     * @return nanoseconds to wait before asking
     */
    long enter(long nowNanos) {
        int number = inside.incrementAndGet();
        return number <= AT_ONCE ? 0 : enterBeyond(number, nowNanos);
    }

    private synchronized long enterBeyond(int number, long nowNanos) {
        if (nowNanos - usedNanos > KEPT_NANOS) {
            size = AT_ONCE;
        }
        usedNanos = nowNanos;
        if (number <= size) {
            return 0;
        }
        size = number;
        if (lastTurnNanos - nowNanos < 0) {
            lastTurnNanos = nowNanos;
        }
        lastTurnNanos += TURN_NANOS;
        return lastTurnNanos - nowNanos;
    }

    void leave() {
        inside.decrementAndGet();
    }
}
