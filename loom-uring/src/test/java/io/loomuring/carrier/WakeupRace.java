package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.IoUringAbi;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Ring;
import io.loomuring.testing.Running;

import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A sleeper in its ring, and wakers that bring it one item each and wait until it was taken. A wait
 * that nobody ended although there is an item is a lost wake-up.
 */
final class WakeupRace {
    private static final int PAUSE_MAX = 300; // spins
    private static final int INBOX_CHUNK = 64;

    /** An item was there and the sleeper slept on. */
    static final class LostWakeupError extends AssertionError {
        private static final long serialVersionUID = 1L;
    }

    private final SleepProtocol protocol;
    private final Wakeup wakeup;
    private final Random random;
    private final MpscUnboundedAtomicArrayQueue<AtomicInteger> inbox =
            new MpscUnboundedAtomicArrayQueue<>(INBOX_CHUNK);
    private volatile boolean done;

    WakeupRace(SleepProtocol protocol, Wakeup wakeup, Random random) {
        this.protocol = protocol;
        this.wakeup = wakeup;
        this.random = random;
    }

    /**
     * @param lost a wait of that length with an item there is a lost wake-up: far longer than a
     *     waker can be kept from its next step
     */
    void run(int wakerCount, Duration duration, Duration lost) throws Exception {
        List<Running<Void>> wakers = new ArrayList<>();
        for (int i = 0; i < wakerCount; i++) {
            long seed = random.nextLong();
            wakers.add(Running.onPlatform(() -> bringUntilDone(new Random(seed))));
        }
        try {
            sleepAndTake(duration.toNanos(), lost.toNanos());
        } finally {
            done = true;
        }
        Running.allEnd(wakers);
    }

    private void sleepAndTake(long nanos, long lostNanos) throws Exception {
        var counters = new Counters();
        int flags = IoUringAbi.IORING_SETUP_COOP_TASKRUN | IoUringAbi.IORING_SETUP_TASKRUN_FLAG;
        var ring = new Ring(8, 16, flags, counters, _ -> {});
        ring.wakeOn(wakeup.eventFd());
        long taken = 0;
        long sleeps = 0;
        try {
            long end = System.nanoTime() + nanos;
            while (System.nanoTime() - end < 0) {
                taken += inbox.drain(AtomicInteger::incrementAndGet);
                long start = System.nanoTime();
                if (protocol.maySleep(wakeup, () -> !inbox.isEmpty(), () -> pause(random))) {
                    ring.enter(lostNanos);
                    sleeps++;
                    if (System.nanoTime() - start >= lostNanos && !inbox.isEmpty()) {
                        throw new LostWakeupError();
                    }
                }
                wakeup.awake();
            }
        } finally {
            ring.close();
        }
        assertThat(taken).as("items taken").isGreaterThan(1000);
        assertThat(sleeps).as("sleeps").isGreaterThan(1000);
    }

    private static void pause(Random random) {
        if (random.nextBoolean()) {
            for (int i = random.nextInt(PAUSE_MAX); i > 0; i--) {
                Thread.onSpinWait();
            }
        }
    }

    private void bringUntilDone(Random pauses) {
        var item = new AtomicInteger();
        while (!done) {
            item.set(0);
            protocol.bring(wakeup, () -> inbox.offer(item), () -> pause(pauses));
            while (item.get() == 0 && !done) {
                Thread.onSpinWait();
            }
            pause(pauses);
        }
    }
}
