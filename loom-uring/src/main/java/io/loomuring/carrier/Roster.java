package io.loomuring.carrier;

import io.loomuring.observe.Counters;

import java.util.Arrays;

/**
 * Who gets work: every carrier that ever started has a role.
 *
 * <pre>
 *                wanted               no step for a tick, or blocks
 *     RETIRED ------------> IN_USE --------------------------------> STUCK, COMPUTING
 *        ^  ^ <------------   ^                                        |      |
 *        |      dismissed     +----------- its next turn --------------+      |
 *        +---------------------------------------------------------------<----+
 * </pre>
 *
 * Those wanted are as many as the parallelism says, the first ones of those that get on. One that
 * is stuck asleep is made up for in full, by one that is retired or a new one. One that computes
 * has its share of the processors, so more threads would help nobody: only when no other gets on,
 * one takes over, up to a number at which the processors themselves would come round too late.
 *
 * <p>One more than wanted is kept ready, if there may be so many. Who is wanted is called at once;
 * who isn't any more is dismissed by the watchdog some time later, so that a section that blocks
 * for a moment, again and again, does not call and dismiss each time.
 *
 * <p>Any thread may call: changes happen under a guard that is held for moments, without parking.
 */
final class Roster {
    // Roles
    static final int IN_USE = 0;
    static final int RETIRED = 1;
    static final int STUCK = 2; // in a call that blocks, or parked while pinned
    static final int COMPUTING = 3; // stuck as well, but wants the processor

    /** With slices of some 3 ms each thread's turn comes within 25 ms. */
    private static final int COMPUTING_MAX_PER_PROCESSOR = 8;

    private static final Carrier[] NONE = {};

    private final Guard guard = new Guard();
    private final int carriersMax;
    private final int computingMax =
            COMPUTING_MAX_PER_PROCESSOR * Runtime.getRuntime().availableProcessors();

    private volatile int parallelism; // guarded by guard for writing
    private volatile Carrier[] all = NONE; // guarded by guard for replacing
    private volatile Carrier[] inUse = NONE; // those to pick from; likewise
    private volatile boolean anyStuck; // guarded by guard for writing
    private volatile boolean thieves; // likewise
    private volatile boolean surplus; // more are in use than wanted; likewise
    private volatile int missing; // wanted, but there are no more; likewise
    private volatile boolean standby; // somebody is retired, who could be called; likewise
    private int starting; // guarded by guard
    private long stalls; // guarded by guard
    private long spares; // guarded by guard

    Roster(int parallelism, int carriersMax) {
        this.parallelism = parallelism;
        this.carriersMax = carriersMax;
    }

    // ---- who there is ----

    /** All that ever started, whatever their role. */
    Carrier[] all() {
        return all;
    }

    /** Those that get on; those that don't if all are stuck. Never empty once one has started. */
    Carrier[] inUse() {
        return inUse;
    }

    int parallelism() {
        return parallelism;
    }

    boolean anyStuck() {
        return anyStuck;
    }

    /** Whether one could steal from another. */
    boolean hasThieves() {
        return thieves;
    }

    /** Adds carriers that turn already. */
    void add(Carrier... more) {
        guard.lock();
        try {
            Carrier[] longer = Arrays.copyOf(all, all.length + more.length);
            System.arraycopy(more, 0, longer, all.length, more.length);
            all = longer;
            spares += assign(false);
        } finally {
            guard.unlock();
        }
    }

    /** Changes the number of those wanted; returns the one before. */
    int parallelism(int newParallelism) {
        guard.lock();
        try {
            int before = parallelism;
            parallelism = newParallelism;
            assign(true);
            return before;
        } finally {
            guard.unlock();
        }
    }

    // ---- who doesn't get on ----

    /**
     * A carrier blocks, or was found not to get on. Called again while it lasts.
     *
     * @param role {@link #STUCK} or {@link #COMPUTING}
     * @param found by the watchdog
     */
    void stuck(Carrier carrier, int role, boolean found) {
        guard.lock();
        try {
            if (carrier.role() != role) {
                stalls += found && !carrier.isStuck() ? 1 : 0;
                carrier.role(role);
                spares += assign(false);
            }
        } finally {
            guard.unlock();
        }
    }

    /** A carrier gets on again; by itself, or by the watchdog if it sleeps. */
    void unstuck(Carrier carrier) {
        if (!carrier.isStuck()) {
            return;
        }
        guard.lock();
        try {
            if (carrier.isStuck()) {
                carrier.role(RETIRED);
                assign(false);
            }
        } finally {
            guard.unlock();
        }
    }

    /** Dismisses those that aren't wanted any more; by the watchdog, once a tick. */
    void dismiss() {
        if (surplus || anyStuck) {
            guard.lock();
            try {
                assign(true);
            } finally {
                guard.unlock();
            }
        }
    }

    boolean hasSurplus() {
        return surplus;
    }

    /** Gives each carrier that gets on its role; returns how many were called. */
    private int assign(boolean dismissing) {
        int computing = 0;
        boolean stuck = false;
        for (Carrier carrier : all) {
            computing += carrier.role() == COMPUTING ? 1 : 0;
            stuck |= carrier.isStuck();
        }
        int wanted = Math.max(1, parallelism - computing);
        boolean mayCall = computing < computingMax;
        int given = 0;
        int called = 0;
        boolean retired = false;
        for (Carrier carrier : all) {
            if (carrier.isStuck()) {
                continue;
            }
            boolean used = carrier.role() == IN_USE;
            boolean use = used ? given < wanted || !dismissing : given < wanted && mayCall;
            given += use ? 1 : 0;
            called += use && !used ? 1 : 0;
            retired |= !use;
            if (use != used) {
                carrier.role(use ? IN_USE : RETIRED);
                carrier.wake(); // to look for tasks, or to hand them on and steal no more
            }
        }
        anyStuck = stuck;
        surplus = given > wanted;
        missing = mayCall ? Math.max(0, wanted - given) : 0;
        standby = retired;
        pickFrom(given);
        return stuck ? called : 0;
    }

    private void pickFrom(int given) {
        var picked = new Carrier[all.length];
        int size = 0;
        for (Carrier carrier : all) {
            if (given == 0 ? carrier.isStuck() : carrier.role() == IN_USE) {
                picked[size++] = carrier;
            }
        }
        inUse = Arrays.copyOf(picked, size);
        boolean before = thieves;
        thieves = size > 1 || anyStuck;
        if (thieves && !before) {
            for (Carrier carrier : inUse) {
                carrier.wake(); // to be counted as one that could steal
            }
        }
    }

    // ---- new ones ----

    /**
     * Whether another one is to be started, which counts as one that is starting from now on. One
     * more than wanted: to start takes milliseconds, and far longer when the processors are taken.
     */
    boolean beginStart() {
        if (missing == 0 && standby) {
            return false;
        }
        guard.lock();
        try {
            int needed = missing + (standby ? 0 : 1);
            boolean start = needed > starting && all.length + starting < carriersMax;
            starting += start ? 1 : 0;
            return start;
        } finally {
            guard.unlock();
        }
    }

    /** It has started and was added, or it can't. */
    void endStart() {
        guard.lock();
        starting--;
        guard.unlock();
    }

    boolean isMissing() {
        return missing > 0;
    }

    void addTo(Counters counters) {
        counters.stalls += stalls;
        counters.spares += spares;
    }
}
