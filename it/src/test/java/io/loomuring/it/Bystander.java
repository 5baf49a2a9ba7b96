package io.loomuring.it;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that opens descriptors of its own and looks after them, while others open and close
 * theirs: somebody who closes a number twice, or reads one that is no longer his, hits it.
 */
final class Bystander {
    private static final Duration STOP_WAIT = Duration.ofSeconds(10);
    private static final int PAIRS = 8;
    private static final long HOLD_NANOS = 20_000;
    private static final long TOKEN = 0x0DDBA11_CAFEL;

    private final FirstFailure failure = new FirstFailure();
    private final Thread thread = Thread.ofPlatform().name("bystander").unstarted(this::run);
    private volatile boolean done;

    private Bystander() {}

    static Bystander start() {
        var bystander = new Bystander();
        bystander.thread.start();
        return bystander;
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment token = arena.allocate(ValueLayout.JAVA_LONG);
            var pairs = new int[PAIRS][];
            for (long round = 0; !done; round++) {
                for (int i = 0; i < PAIRS; i++) {
                    pairs[i] = Libc.unixPair();
                    token.set(ValueLayout.JAVA_LONG, 0, TOKEN + round * PAIRS + i);
                    check(Libc.send(pairs[i][0], token, Libc.MSG_DONTWAIT), Long.BYTES);
                }
                LockSupport.parkNanos(HOLD_NANOS);
                for (int i = 0; i < PAIRS; i++) {
                    check(Libc.recv(pairs[i][1], token, Libc.MSG_DONTWAIT), Long.BYTES);
                    check(token.get(ValueLayout.JAVA_LONG, 0), TOKEN + round * PAIRS + i);
                    check(Libc.recv(pairs[i][1], token, Libc.MSG_DONTWAIT), -Libc.EAGAIN);
                    check(Libc.recv(pairs[i][0], token, Libc.MSG_DONTWAIT), -Libc.EAGAIN);
                    Libc.close(pairs[i][0]);
                    Libc.close(pairs[i][1]);
                }
            }
        } catch (Throwable e) {
            failure.keep("bystander", e);
        }
    }

    private static void check(long actual, long expected) {
        if (actual != expected) {
            throw new AssertionError(
                    "somebody used a descriptor that is not his: " + actual + ", not " + expected);
        }
    }

    /** Ends it; throws if anything happened to its descriptors. */
    void stop() {
        done = true;
        Patience.join(List.of(thread), STOP_WAIT);
        failure.rethrow();
    }
}
