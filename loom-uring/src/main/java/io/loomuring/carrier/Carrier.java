package io.loomuring.carrier;

import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import jdk.internal.misc.CarrierThread;

import org.jctools.queues.MessagePassingQueue;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;

import java.lang.invoke.VarHandle;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

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
    private static final int BATCH_MIN = 32; // of those that are there, even if completions wait
    private static final int BATCH_MAX = 256; // even if none waits

    private static final int INBOX_CHUNK = 1024;
    private static final int IO_WORKERS_MAX = 4; // kernel threads for what can't be polled

    private final CarrierGroup group;
    private final int index; // among the group's carriers
    private final RunQueue runQueue;
    private final Deadlines deadlines = new Deadlines(); // guarded by guard
    private final Counters counters = new Counters();
    final Scratch.Stack scratches = new Scratch.Stack();

    /** Runnable: a task to run. Op: to be submitted. The others: see {@link #receive}. */
    private final MpscUnboundedAtomicArrayQueue<Object> inbox =
            new MpscUnboundedAtomicArrayQueue<>(INBOX_CHUNK);

    /** What only the carrier itself can do. */
    private enum Request {
        SHARE_RUN_QUEUE
    }

    private final MessagePassingQueue.Consumer<Object> receive = this::receive;

    /** Held for moments by whoever takes from the inbox or touches the deadlines. */
    private final AtomicBoolean guard = new AtomicBoolean();

    // Written by start-up before `started` counts down
    private Ring ring;
    private Wakeup wakeup;
    private Throwable startFailure;
    private final CountDownLatch started = new CountDownLatch(1);

    private volatile boolean stopping; // written by the group

    private boolean mounted; // a virtual thread, as far as observers see; written by the carrier

    private long turns; // written by the carrier; the watchdog is content with a late value
    private volatile long stuckAt = -1; // the turn that was its last; written by the watchdog
    private volatile boolean asleep; // written by the carrier, before it looks for the watchdog
    long turnsSeen; // the watchdog's own

    Carrier(CarrierGroup group, int index) {
        super(group);
        this.group = group;
        this.index = index;
        runQueue = new RunQueue(group.isStealing());
        setName("loom-uring-carrier-" + (index + 1));
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
        }
        while (!stopping) {
            try {
                turn();
            } catch (Throwable e) {
                group.report(this, e);
            }
        }
        ring.close();
        wakeup.close();
    }

    private boolean startUp() {
        try {
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

    /** Takes every step of a turn once, so that no class is loaded and nothing linked later. */
    private void rehearse() {
        var op = new Op(ignored -> {});
        op.tryClaim();
        op.waitOn(this);
        op.prepNop();
        ring.submit(op);
        op.cancel(Op.CLOSE);
        inbox.offer((Runnable) () -> {});
        wakeup.prepareToSleep();
        wakeup.wake();
        schedule(() -> {}, System.nanoTime()).cancel(false);
        Deadline due = schedule(() -> {}, System.nanoTime());
        while (op.inFlight() || !due.isDone()) {
            turn();
        }
        op.release();
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
        runBatch();
        mounted = false;
        if (group.isRetired(this)) {
            handOn();
        }
        receiveAll();
        fireDeadlines();
        if (runQueue.isEmpty() && !steal()) {
            sleepInRing();
        } else if (ring.needsEnter()) {
            ring.enter(0);
        }
    }

    private void runBatch() {
        mounted = !runQueue.isEmpty();
        for (int i = 0; i < BATCH_MAX && !group.isRetired(this); i++) {
            if (i >= BATCH_MIN && ring.hasCompletions()) {
                return;
            }
            Runnable task = runQueue.poll();
            if (task == null) {
                return;
            }
            counters.tasks++;
            task.run();
        }
    }

    /** Retired: what there is to run goes to the others. */
    private void handOn() {
        Runnable task;
        while ((task = runQueue.poll()) != null) {
            group.pick().send(task);
        }
    }

    private void receiveAll() {
        if (!inbox.isEmpty()) {
            lock();
            try {
                inbox.drain(receive);
            } finally {
                unlock();
            }
        }
    }

    private void receive(Object message) {
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
            case Request.SHARE_RUN_QUEUE -> {
                runQueue.share();
                group.offerToIdle(this);
            }
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
        lock();
        try {
            return deadlines.pollDue(now);
        } finally {
            unlock();
        }
    }

    /** Without parking: a virtual thread on this carrier may call, and holders are quick. */
    private void lock() {
        while (!guard.compareAndSet(false, true)) {
            Shim.yieldCpu();
        }
    }

    private void unlock() {
        guard.setRelease(false);
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
        ring.enter(nanos == Long.MAX_VALUE ? -1 : nanos);
        asleep = false;
        if (thief) {
            group.sleeping(-1);
        }
        if (wakeup.awake()) {
            counters.wakeups++;
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
        var deadline = new Deadline(task, nanoTime, this);
        if (isCurrent()) {
            lock();
            try {
                deadlines.add(deadline);
            } finally {
                unlock();
            }
        } else {
            send(deadline);
        }
        return deadline;
    }

    /** Takes a cancelled deadline off the heap. */
    void remove(Deadline deadline) {
        if (isCurrent()) {
            lock();
            try {
                deadlines.remove(deadline);
            } finally {
                unlock();
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

    /** Lets others steal, where there were no others before. */
    void shareRunQueue() {
        send(Request.SHARE_RUN_QUEUE);
    }

    /** Hands over a task, an operation or a deadline, and wakes the carrier if it sleeps. */
    void send(Object message) {
        inbox.offer(message);
        VarHandle.fullFence(); // before looking at the state: see Wakeup
        wake();
    }

    boolean wake() {
        return wakeup.wake();
    }

    /** Turns so far; any thread, a moment late. */
    long turns() {
        return turns;
    }

    /** Whether the carrier waits in its ring, where it needs nobody; any thread, a moment late. */
    boolean isAsleep() {
        return asleep;
    }

    /** Whether it hasn't turned since the watchdog missed a turn: work had better go elsewhere. */
    boolean isStuck() {
        return stuckAt == turns && !asleep; // it may have gone to sleep in that very turn
    }

    /** By the watchdog: the carrier should have turned since the given turn. */
    void stuckAt(long turn) {
        stuckAt = turn;
    }

    /**
     * Does for a carrier that doesn't turn what can be done without it: hands its messages on,
     * fires its deadlines, submits and reaps its ring; by the watchdog. What is for the ring stays
     * in the inbox unless the ring is to be had: its carrier may be asleep in it for ever.
     */
    void rescue() {
        lock();
        boolean hasRing = ring.isShared() && ring.beginRescue();
        try {
            for (int i = inbox.size(); i > 0; i--) { // some may come back: no end otherwise
                Object message = inbox.relaxedPoll();
                if (message == null) {
                    break;
                }
                if (mayBeDoneByOthers(message, hasRing)) {
                    receive(message);
                } else {
                    inbox.offer(message);
                }
            }
        } finally {
            unlock();
            if (hasRing) {
                ring.endRescue();
            }
        }
        fireDeadlines();
        // the carrier may have gone to sleep while its messages were here
        VarHandle.fullFence();
        wake();
    }

    private static boolean mayBeDoneByOthers(Object message, boolean hasRing) {
        return switch (message) {
            case Runnable _, Deadline _ -> true;
            case Request _ -> false;
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

    int index() {
        return index;
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

    /** No spare carrier takes over yet; the JDK then blocks this one. */
    @Override
    public boolean beginBlocking() {
        return false;
    }

    @Override
    public void endBlocking() {}
}
