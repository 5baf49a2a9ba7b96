package io.loomuring.carrier;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Looks after carriers that don't turn, since a virtual thread computes, or is pinned and waits,
 * perhaps for an operation that its own carrier would reap. What has been still for a tick is
 * rescued: messages, deadlines and ring, while idle carriers steal from its run queue.
 *
 * <p>It sleeps when every carrier has slept for a while; a carrier that awakes wakes it. While
 * there is work it looks once a tick, which costs the carriers nothing.
 */
final class Watchdog extends Thread {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int IDLE_TICKS_BEFORE_SLEEP = 100; // so that a ping-pong doesn't wake it

    private final CarrierGroup group;
    private volatile boolean sleeping;
    private Carrier rescuing; // the watchdog's own

    Watchdog(CarrierGroup group) {
        super("loom-uring-watchdog");
        setDaemon(true);
        this.group = group;
    }

    /** By a carrier that has slept, or by whoever adds carriers. */
    void carrierAwake() {
        if (sleeping) {
            sleeping = false;
            LockSupport.unpark(this);
        }
    }

    /** The carrier whose completions the calling thread reaps, if that is the watchdog. */
    Carrier rescuing() {
        return Thread.currentThread() == this ? rescuing : null;
    }

    @Override
    public void run() {
        int idleTicks = 0;
        while (true) {
            idleTicks = look() ? 0 : idleTicks + 1;
            if (idleTicks < IDLE_TICKS_BEFORE_SLEEP) {
                LockSupport.parkNanos(TICK_NANOS);
            } else {
                sleepUntilWork();
                idleTicks = 0;
            }
        }
    }

    /** Whether any carrier turned, or should have. */
    private boolean look() {
        boolean work = false;
        for (Carrier carrier : group.carriers()) {
            long turns = carrier.turns();
            boolean turned = turns != carrier.turnsSeen;
            boolean stuck = !turned && !carrier.isAsleep();
            carrier.turnsSeen = turns;
            work |= turned || stuck;
            if (stuck) {
                carrier.stuckAt(turns);
                rescue(carrier);
            }
        }
        return work;
    }

    private void rescue(Carrier carrier) {
        rescuing = carrier;
        try {
            carrier.rescue();
            group.offerToIdle(carrier);
        } catch (RuntimeException e) {
            group.report(carrier, e);
        } finally {
            rescuing = null;
        }
    }

    private void sleepUntilWork() {
        sleeping = true;
        while (sleeping && allAsleep()) { // a carrier that awoke before it saw `sleeping` is seen
            LockSupport.park(this);
        }
        sleeping = false;
    }

    private boolean allAsleep() {
        for (Carrier carrier : group.carriers()) {
            if (!carrier.isAsleep()) {
                return false;
            }
        }
        return true;
    }
}
