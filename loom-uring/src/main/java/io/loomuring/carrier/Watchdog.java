package io.loomuring.carrier;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Looks after carriers that don't get on, since a virtual thread computes, or is pinned and waits,
 * perhaps for an operation that its own carrier would reap. One that has done nothing for a tick is
 * stuck: its tasks, messages, deadlines and ring are seen to, and another carrier takes over if
 * need be ({@link Roster}). One that runs task after task is made to turn.
 *
 * <p>After a pause of the whole process (garbage collection, SIGSTOP, a CPU quota) every carrier
 * looks stuck. The watchdog then was late itself, and discards what it sees first.
 *
 * <p>It sleeps when every carrier has slept for a while, in its ring or in a call that blocks; a
 * carrier that awakes wakes it, and so does a completion of a ring that nobody enters. While there
 * is work it looks once a tick, which costs the carriers nothing.
 */
final class Watchdog extends Thread {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long TICK_NANOS_STUCK = TimeUnit.MILLISECONDS.toNanos(5); // while one is
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int IDLE_TICKS_BEFORE_SLEEP = 100; // so that a ping-pong doesn't wake it

    private final CarrierGroup group;
    private final Roster roster;
    private volatile boolean sleeping;

    Watchdog(CarrierGroup group) {
        super("loom-uring-watchdog");
        setDaemon(true);
        this.group = group;
        roster = group.roster();
    }

    /** By a carrier that has slept, or by whoever adds carriers. */
    void carrierAwake() {
        if (sleeping) {
            sleeping = false;
            LockSupport.unpark(this);
        }
    }

    /** By a carrier that is about to block: there may be a spare to start. */
    void blocks() {
        if (sleeping || roster.isMissing()) {
            sleeping = false;
            LockSupport.unpark(this);
        }
    }

    @Override
    public void run() {
        int idleTicks = 0;
        boolean wasLate = false;
        while (true) {
            try {
                boolean late = sleepForATick();
                boolean work = look(late && !wasLate);
                wasLate = late;
                idleTicks = work ? 0 : idleTicks + 1;
                if (idleTicks >= IDLE_TICKS_BEFORE_SLEEP) {
                    sleepUntilWork();
                    idleTicks = 0;
                }
            } catch (Throwable e) {
                group.report(this, e);
            }
        }
    }

    /** Starts spares meanwhile; returns whether it took much longer than a tick. */
    private boolean sleepForATick() {
        long end = System.nanoTime() + (roster.anyStuck() ? TICK_NANOS_STUCK : TICK_NANOS);
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            if (roster.isMissing()) {
                group.startSpares();
            }
            LockSupport.parkNanos(left);
        }
        return -left > LATE_NANOS;
    }

    /**
     * Looks at every carrier.
     *
     * @param discarding what was still may have been stopped: only what it does next counts
     * @return whether there is anything to look after
     */
    private boolean look(boolean discarding) {
        boolean work = roster.hasSurplus();
        roster.dismiss();
        for (Carrier carrier : roster.all()) {
            boolean turned = carrier.turned();
            boolean stepped = carrier.stepped();
            work |= turned;
            if (carrier.isAsleep()) {
                roster.unstuck(carrier); // it may have gone to sleep while it was found stuck
            } else {
                work |= !carrier.isQuiet();
                long used = carrier.cpuNanosUsed();
                if (!stepped) {
                    judge(carrier, used, discarding);
                } else if (!turned) {
                    carrier.endBatch();
                }
            }
        }
        if (work) {
            group.startSpares();
        }
        if (roster.anyStuck()) {
            rescueStuck();
        }
        return work;
    }

    private void judge(Carrier carrier, long cpuNanosUsed, boolean discarding) {
        if (!discarding || carrier.isStuck()) {
            int role = carrier.roleByItsCpuTime(cpuNanosUsed);
            if (role >= Roster.STUCK) {
                roster.stuck(carrier, role, true);
            }
        }
    }

    private void rescueStuck() {
        for (Carrier carrier : roster.all()) {
            if (carrier.isStuck()) {
                try {
                    carrier.rescue();
                } catch (RuntimeException e) {
                    carrier.rescueFailed(e);
                }
            }
        }
    }

    private void sleepUntilWork() {
        sleeping = true;
        while (sleeping && allAtRest()) { // a carrier that awoke before it saw `sleeping` is seen
            LockSupport.park(this);
        }
        sleeping = false;
    }

    private boolean allAtRest() {
        for (Carrier carrier : roster.all()) {
            if (!carrier.isAsleep() && !(carrier.watchRing(this) && carrier.isQuiet())) {
                return false;
            }
        }
        return true;
    }
}
