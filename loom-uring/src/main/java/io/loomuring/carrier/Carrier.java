package io.loomuring.carrier;

import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.abi.SocketAbi;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import jdk.internal.misc.CarrierThread;

import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;

import java.lang.invoke.VarHandle;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A platform thread that runs virtual threads and owns an io_uring ring.
 *
 * <p>Read {@link #turn} first. Virtual threads fill the ring's submission queue while they run on
 * the carrier; the turn submits all of it by one system call, which also waits when there is
 * nothing to run, and makes the threads runnable whose operations have completed.
 *
 * <p>What others may touch: {@link RunQueue#steal}, the inbox, {@link Wakeup#wake}, and the ring
 * under its owner word. On this thread's own path nothing is logged, no class is loaded and no lock
 * is taken that a virtual thread may hold.
 */
public final class Carrier extends CarrierThread {
    // Tasks run before the ring is entered again: fewer enters against a longer wait of completions
    private static final int BATCH_MIN = 32; // of those there are, even if something else waits
    private static final int BATCH_MAX = 256; // even if nothing does

    // Tasks of others taken in a turn: half as many as ran, else what runs for about that long
    private static final long RECEIVE_NANOS = 20_000;
    private static final int RECEIVE_MIN = 2; // one to run, one for a thief
    private static final int RECEIVE_MAX = 8;

    private static final int INBOX_CHUNK = 1024;

    /** Of CPU time in a tick of the watchdog: less is nothing, with what it takes to be woken. */
    private static final long COMPUTING_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final int FAILURES_MAX = 8; // turns in succession that ended by an error
    private static final int IO_WORKERS_MAX = 4; // kernel threads for what can't be polled

    private final CarrierGroup group;
    private final boolean spare; // started while others don't get on; adds itself to the group
    private final RunQueue runQueue = new RunQueue();
    private final Deadlines deadlines = new Deadlines(); // guarded by guard
    private final Counters counters = new Counters();
    final Scratch.Stack scratches = new Scratch.Stack();

    /** Runnable: a task to run. Op: to be submitted. The others: see {@link #receive}. */
    private final MpscUnboundedAtomicArrayQueue<Object> inbox =
            new MpscUnboundedAtomicArrayQueue<>(INBOX_CHUNK);

    /** Held for moments by whoever takes from the inbox or touches the deadlines. */
    private final Guard guard = new Guard();

    // Written by start-up before `started` counts down
    private Ring ring;
    private Wakeup wakeup;
    private int tid; // of gettid(2)
    private Throwable startFailure;
    private final CountDownLatch started = new CountDownLatch(1);

    private volatile boolean stopping; // written by the group

    private boolean mounted; // a virtual thread, as far as observers see; written by the carrier

    private volatile int role = Roster.IN_USE; // guarded by the roster's guard for writing
    private boolean rehearsing; // not one of the group yet; the carrier's own
    private boolean blocking; // in a section that the JDK knows to block; the carrier's own

    private long turns; // written by the carrier; the watchdog is content with a late value
    private volatile boolean asleep; // written by the carrier, before it looks for the watchdog
    private boolean endsBatch; // the watchdog wants it to turn; cleared by the carrier
    private long turnsSeen; // the watchdog's own
    private long stepsSeen; // likewise
    private long cpuNanosSeen; // likewise
    private boolean rescueFailed; // likewise
    private long sleptInTurn = -1; // likewise: uninterruptibly, when it was last rescued
    private final Op ringPoll = new Op(_ -> {}); // the watchdog's, and always claimed

    Carrier(CarrierGroup group, int number, boolean spare) {
        super(group);
        this.group = group;
        this.spare = spare;
        ringPoll.tryClaim();
        setName("loom-uring-carrier-" + number);
    }

    // ---- life ----

    @Override
    public void run() {
        try {
            if (!startUp()) {
                return;
            }
        } finally {
            started.countDown();
            if (spare) {
                group.spareStarted(this, startFailure);
            }
        }
        int failures = 0;
        while (!stopping) {
            try {
                turn();
                failures = 0;
            } catch (Throwable e) {
                group.report(this, e);
                if (++failures == FAILURES_MAX) {
                    giveUp();
                }
            }
        }
        ring.close();
        wakeup.close();
    }

    /**
     * The carrier is of no use any more: stuck for ever, so that others take over what it has. It
     * doesn't end, since operations in flight end with the thread that submitted them.
     */
    private void giveUp() {
        group.report(this, new IllegalStateException("it takes no further part"));
        group.roster().stuck(this, Roster.STUCK, true);
        group.watchdog().carrierAwake();
        while (true) {
            LockSupport.park(this);
        }
    }

    private boolean startUp() {
        try {
            tid = Native.lu_gettid();
            ring = group.settings().newRing(counters, this::requestCancel);
            ring.limitWorkers(IO_WORKERS_MAX, IO_WORKERS_MAX);
            wakeup = new Wakeup((int) RingException.check("eventfd", Native.lu_eventfd()));
            ring.wakeOn(wakeup.eventFd());
            rehearse();
            return true;
        } catch (RingException | RuntimeException | Error e) {
            startFailure = e;
            if (wakeup != null) {
                wakeup.close();
            }
            if (ring != null) {
                ring.close();
            }
            return false;
        }
    }

    /**
     * Takes every step of a turn and of a rescue once, so that no class is loaded and nothing
     * linked later: a class loader's locks may be held by a virtual thread that waits for this
     * carrier.
     */
    private void rehearse() {
        rehearsing = true; // a stolen task might never end, and nobody looks after the carrier yet
        var op = new Op(ignored -> {});
        op.tryClaim();
        op.waitOn(this);
        op.prepNop();
        ring.submit(op);
        op.cancel(Op.CLOSE);
        inbox.offer((Runnable) () -> {});
        receiveInstead(false, false);
        wakeup.prepareToSleep();
        wakeup.wake();
        schedule(() -> {}, System.nanoTime()).cancel(false);
        Deadline due = schedule(() -> {}, System.nanoTime());
        while (op.inFlight() || !due.isDone()) {
            turn();
        }
        runBatch(); // another turn would sleep for ever
        op.release();
        cpuNanosUsed();
        roleByItsCpuTime(0);
        if (ring.isShared() && ring.beginRescue()) {
            moveOperationsOn(0);
            ring.endRescue();
        }
        beginBlocking();
        endBlocking();
        role = Roster.RETIRED; // until the roster has it
        rehearsing = false;
    }

    /** Waits until the carrier turns; throws what kept it from starting. */
    void awaitStarted() throws RingException, InterruptedException {
        started.await();
        if (startFailure instanceof RingException refused) {
            throw refused;
        }
        if (startFailure != null) {
            throw new IllegalStateException("a carrier can't start", startFailure);
        }
    }

    /** Ends a carrier that has no operations in flight: only when others failed to start. */
    void shutDown() {
        stopping = true;
        VarHandle.fullFence();
        wakeup.wake();
    }

    // ---- the turn ----

    /** One turn: run a bounded batch, take in what others sent, submit, wait if idle, reap. */
    @CarrierConfined
    private void turn() {
        turns++;
        long start = inbox.isEmpty() ? 0 : System.nanoTime();
        int ran = runBatch();
        mounted = false;
        if (role != Roster.IN_USE) {
            getOn();
        }
        if (!inbox.isEmpty()) {
            receiveUpTo(Math.max(ran / 2, tasksInTime(ran, start)));
        }
        fireDeadlines();
        if (runQueue.isEmpty() && !steal()) {
            sleepInRing();
        } else if (ring.needsEnter()) {
            ring.enter(0);
        }
    }

    /** Returns how many it ran. */
    private int runBatch() {
        mounted = !runQueue.isEmpty();
        endsBatch = false;
        int ran = 0;
        while (ran < BATCH_MAX && role == Roster.IN_USE && !endsBatch) {
            if (ran >= BATCH_MIN
                    && (ring.hasCompletions()
                            || (ran % BATCH_MIN == 0 && nanosToDeadline() == 0))) {
                break;
            }
            Runnable task = runQueue.poll();
            if (task == null) {
                break;
            }
            counters.tasks++;
            ran++;
            task.run();
        }
        return ran;
    }

    /** Not stuck, or not any more. Retired: what there is to run goes to the others. */
    private void getOn() {
        if (isStuck()) {
            group.roster().unstuck(this);
        }
        if (role == Roster.RETIRED) {
            Runnable task;
            while ((task = runQueue.poll()) != null) {
                group.pick().send(task);
            }
        }
    }

    /**
     * How many tasks are likely to run for {@link #RECEIVE_NANOS}, by those of this turn.
     *
     * @param startNanos when the first of them began, or 0 if nobody looked
     */
    private static int tasksInTime(int ran, long startNanos) {
        if (ran == 0 || startNanos == 0) {
            return RECEIVE_MAX;
        }
        long nanos = Math.max(1, System.nanoTime() - startNanos);
        return Math.clamp(ran * RECEIVE_NANOS / nanos, RECEIVE_MIN, RECEIVE_MAX);
    }

    /**
     * Takes in messages, so many tasks at most. Of a burst of threads that others start the rest
     * waits until those have run whose operations completed meanwhile.
     */
    private void receiveUpTo(int tasks) {
        guard.lock();
        try {
            int taken = 0;
            Object message;
            while (taken < tasks && (message = inbox.relaxedPoll()) != null) {
                receive(message);
                taken += message instanceof Runnable ? 1 : 0;
            }
        } finally {
            guard.unlock();
        }
    }

    private void receive(Object message) {
        while (true) {
            try {
                take(message);
                return;
            } catch (OutOfMemoryError e) { // nothing has changed: the message must not be lost
                Shim.yieldCpu();
            }
        }
    }

    private void take(Object message) {
        switch (message) {
            case Op op -> ring.submitHanded(op);
            case Op.Cancel cancel -> ring.cancel(cancel);
            case Deadline deadline -> {
                if (deadline.isDone()) {
                    deadlines.remove(deadline);
                } else {
                    deadlines.add(deadline);
                }
            }
            case Runnable task -> group.execute(task);
            default -> throw new AssertionError(message);
        }
    }

    private void fireDeadlines() {
        if (deadlines.isEmpty()) {
            return;
        }
        long now = System.nanoTime();
        Deadline due;
        while ((due = pollDue(now)) != null) {
            due.fire();
        }
    }

    private Deadline pollDue(long now) {
        guard.lock();
        try {
            return deadlines.pollDue(now);
        } finally {
            guard.unlock();
        }
    }

    private boolean steal() {
        int stolen = group.stealFor(this);
        counters.steals += stolen;
        return stolen > 0;
    }

    /** Submits, sleeps in the ring until a completion, a deadline or a wake-up, and reaps. */
    private void sleepInRing() {
        runQueue.forgetConsumed(); // it may have been emptied by thieves
        wakeup.prepareToSleep();
        boolean thief = group.maySteal(this);
        if (thief) {
            group.sleeping(1);
        }
        long nanos = hasWork() ? 0 : nanosToDeadline();
        asleep = nanos != 0;
        try {
            ring.enter(nanos == Long.MAX_VALUE ? -1 : nanos);
        } finally {
            asleep = false;
            if (thief) {
                group.sleeping(-1);
            }
            if (wakeup.awake()) {
                counters.wakeups++;
            }
        }
        group.watchdog().carrierAwake();
    }

    /** The look between {@link Wakeup#prepareToSleep} and sleep. */
    private boolean hasWork() {
        return !inbox.isEmpty() || stopping || group.hasTasksFor(this);
    }

    /** 0 if one is due, {@code Long.MAX_VALUE} if there is none. */
    private long nanosToDeadline() {
        if (deadlines.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return Math.max(0, deadlines.first() - System.nanoTime());
    }

    // ---- for threads on this carrier ----

    /** Whether it may take tasks of others, as far as it goes. */
    @CarrierConfined
    boolean maySteal() {
        return role == Roster.IN_USE && !rehearsing;
    }

    boolean isCurrent() {
        return JdkInternals.Threads.currentCarrier() == this;
    }

    @CarrierConfined
    Ring ring() {
        assert isCurrent();
        return ring;
    }

    /** Makes a task runnable here, where an idle carrier may steal it. */
    @CarrierConfined
    void push(Runnable task) {
        assert isCurrent();
        runQueue.push(task);
        group.offerToIdle(this);
    }

    /**
     * Schedules a task for a time; by this carrier or, through the inbox, by another thread.
     *
     * @param nanoTime when, in {@code System.nanoTime()}
     */
    Deadline schedule(Runnable task, long nanoTime) {
        while (true) {
            try {
                var deadline = new Deadline(task, nanoTime, this);
                if (isCurrent()) {
                    guard.lock();
                    try {
                        deadlines.add(deadline);
                    } finally {
                        guard.unlock();
                    }
                } else {
                    send(deadline);
                }
                return deadline;
            } catch (OutOfMemoryError e) { // the JDK would lose the thread that is parking
                Shim.yieldCpu();
            }
        }
    }

    /** Takes a cancelled deadline off the heap. */
    void remove(Deadline deadline) {
        if (isCurrent()) {
            guard.lock();
            try {
                deadlines.remove(deadline);
            } finally {
                guard.unlock();
            }
        } else {
            inbox.offer(deadline);
            if (inbox.size() > INBOX_CHUNK) { // nobody waits for it, but they must not pile up
                VarHandle.fullFence();
                wake();
            }
        }
    }

    // ---- for any thread ----

    /** Hands over a task, an operation or a deadline, and wakes the carrier if it sleeps. */
    void send(Object message) {
        while (true) {
            try {
                inbox.offer(message);
                break;
            } catch (OutOfMemoryError e) { // callers have gone too far to go back
                Shim.yieldCpu();
            }
        }
        VarHandle.fullFence(); // before looking at the state: see Wakeup
        if (!wake() && isStuck()) {
            group.watchdog().carrierAwake();
        }
    }

    boolean wake() {
        return wakeup.wake();
    }

    /** Whether the carrier waits in its ring, where it needs nobody; any thread, a moment late. */
    boolean isAsleep() {
        return asleep;
    }

    int role() {
        return role;
    }

    /** By the roster. */
    void role(int newRole) {
        role = newRole;
    }

    /** Whether it doesn't get on: work had better go elsewhere. */
    boolean isStuck() {
        return role >= Roster.STUCK;
    }

    // ---- for the watchdog ----

    /** Whether it turned since the last call. */
    boolean turned() {
        long now = turns;
        boolean turned = now != turnsSeen;
        turnsSeen = now;
        return turned;
    }

    /** Whether it turned or began another task since the last call; after {@link #turned}. */
    boolean stepped() {
        long now = turnsSeen + counters.tasks;
        boolean stepped = now != stepsSeen;
        stepsSeen = now;
        return stepped;
    }

    /** Makes it turn as soon as the task that runs has ended. */
    void endBatch() {
        endsBatch = true;
    }

    /** CPU time of its thread since the last call. */
    long cpuNanosUsed() {
        long now = Native.lu_thread_cpu_nanos(tid);
        long used = now - cpuNanosSeen;
        cpuNanosSeen = now;
        return used;
    }

    /**
     * The role if the carrier hasn't stepped, by what its thread did meanwhile: it computes or it
     * sleeps. If it wants a processor but got none it keeps its role: a spare wouldn't get one
     * sooner.
     */
    int roleByItsCpuTime(long used) {
        if (used >= COMPUTING_NANOS) {
            return Roster.COMPUTING;
        }
        int state = Native.lu_thread_state(tid);
        return state == 'R' || state < 0 ? role : Roster.STUCK;
    }

    /**
     * Does for a carrier that doesn't turn what can be done without it: hands its messages on,
     * fires its deadlines, submits and reaps its ring; by the watchdog. What is for the ring stays
     * in the inbox unless the ring is to be had: its carrier may be asleep in it for ever. Tasks
     * stay where they are if no other carrier gets on.
     */
    void rescue() {
        boolean takers = !group.pick().isStuck();
        if (takers) {
            Runnable task;
            while ((task = runQueue.steal()) != null) {
                group.execute(task);
            }
        }
        boolean hasRing = false;
        guard.lock();
        try {
            hasRing = ring.isShared() && ring.beginRescue();
            receiveInstead(hasRing, takers);
            if (hasRing) {
                moveOperationsOn();
            }
        } finally {
            guard.unlock();
            if (hasRing) {
                ring.endRescue();
            }
        }
        fireDeadlines();
        // the carrier may have gone to sleep while its messages were here
        VarHandle.fullFence();
        wake();
    }

    /** Under the guard, for which the carrier spins: nothing here may block, nor load a class. */
    private void receiveInstead(boolean hasRing, boolean takers) {
        for (int i = inbox.size(); i > 0; i--) { // some may come back: no end otherwise
            Object message = inbox.relaxedPoll();
            if (message == null) {
                break;
            }
            if (mayBeDoneByOthers(message, hasRing, takers)) {
                receive(message);
            } else {
                inbox.offer(message);
            }
        }
    }

    /**
     * Operations in flight leave if the thread sleeps in the kernel such that it runs no task work
     * (NFS, a FUSE file, {@code vfork}), at the second look: short sleeps of the kind are many.
     */
    private void moveOperationsOn() {
        boolean sleeps = Native.lu_thread_state(tid) == 'D';
        long turn = turns;
        if (sleeps && sleptInTurn == turn) {
            moveOperationsOn(cpuNanosSeen); // taken in this look, before
        }
        sleptInTurn = sleeps ? turn : -1;
    }

    private void moveOperationsOn(long cpuNanos) {
        ring.moveOn(() -> Native.lu_thread_cpu_nanos(tid) == cpuNanos); // it sleeps yet
    }

    /** Tells of it, once. */
    void rescueFailed(RuntimeException e) {
        if (!rescueFailed) {
            rescueFailed = true;
            group.report(this, e);
        }
    }

    /** Whether there is nothing to do for a carrier that is stuck asleep, now. By the watchdog. */
    boolean isQuiet() {
        return role == Roster.STUCK
                && inbox.isEmpty()
                && deadlines.isEmpty()
                && runQueue.isEmpty()
                && !ring.hasCompletions();
    }

    /**
     * Makes the next completion of a ring that nobody enters unpark the watchdog: the ring itself
     * is polled by the ring of a carrier that gets on.
     *
     * @return whether there is nothing to wait for, or the poll is on its way
     */
    boolean watchRing(Watchdog watchdog) {
        if (ring.inFlight() == 0 || ringPoll.inFlight()) {
            return true;
        }
        Carrier other = group.pick();
        if (other.isStuck() || (ringPoll.result() < 0 && !ringPoll.isToBeRepeated())) {
            return false; // it can't be polled
        }
        ringPoll.release();
        ringPoll.tryClaim();
        ringPoll.waitOn(watchdog);
        ringPoll.prepPollAdd(ring.fd(), SocketAbi.POLLIN);
        ringPoll.handOver();
        other.send(ringPoll);
        return true;
    }

    private static boolean mayBeDoneByOthers(Object message, boolean hasRing, boolean takers) {
        return switch (message) {
            case Runnable _ -> takers;
            case Deadline _ -> true;
            default -> hasRing;
        };
    }

    private void requestCancel(Op.Cancel request) {
        if (isCurrent()) {
            ring.cancel(request);
        } else {
            send(request);
        }
    }

    /** Messages that wait to be received; any thread, a moment late. */
    int messages() {
        return inbox.size();
    }

    /** Whether a virtual thread runs on the carrier; any thread, a moment late. */
    boolean isMounted() {
        return mounted;
    }

    RunQueue runQueue() {
        return runQueue;
    }

    Counters counters() {
        return counters;
    }

    // ---- what the JDK asks of a carrier ----

    /** At least 1, so that the JDK sends a yielding thread through {@code execute}. */
    @Override
    public int getQueuedTaskCount() {
        return Math.max(1, runQueue.size());
    }

    /**
     * The virtual thread on this carrier is about to block it: another one takes over at once,
     * where the watchdog would need a tick to notice.
     *
     * @return whether {@link #endBlocking} is to be called
     */
    @Override
    public boolean beginBlocking() {
        if (blocking) {
            return false;
        }
        blocking = true;
        if (ring.needsEnter()) {
            ring.enter(0);
        }
        group.blocks(this);
        return true;
    }

    /** Called by the JDK after each yield as well: whoever yields doesn't block any more. */
    @Override
    public void endBlocking() {
        if (blocking) {
            blocking = false;
            group.roster().unstuck(this);
        }
    }
}
