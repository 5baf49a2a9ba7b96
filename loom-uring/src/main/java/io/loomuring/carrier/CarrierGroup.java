package io.loomuring.carrier;

import io.loomuring.jdk.JdkInternals;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The scheduler: a group of carriers. It is a {@link ForkJoinPool} by type only, since that is what
 * the JDK's field holds; no worker of the superclass ever starts.
 *
 * <p>{@link #execute} is called by any thread, a virtual one pinned: it takes no lock and never
 * blocks.
 *
 * <p>{@link #setParallelism} starts more carriers, or retires some. A retired carrier gets no new
 * work and hands on what it has. It sleeps in its ring, since a thread that ever submitted must
 * live until its last final CQE, hands on the threads whose operations complete there, and comes
 * back when the group grows again, or as a spare for one that is stuck ({@link Roster}).
 */
public final class CarrierGroup extends ForkJoinPool {
    /** Makes a carrier's ring, on the carrier's thread. */
    @FunctionalInterface
    public interface RingFactory {
        Ring newRing(Counters counters, Consumer<Op.Cancel> cancelSink) throws RingException;
    }

    private static final long SPARE_RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final RingFactory rings;
    private final int sizeMax;
    private final boolean stealingAllowed;
    private final Roster roster;
    private final Watchdog watchdog;
    private final ReentrantLock resizing = new ReentrantLock();
    private final AtomicInteger numbers = new AtomicInteger(); // of carriers, in their names

    private volatile long noSpareUntil = System.nanoTime(); // one couldn't start
    private boolean spareRefused; // one couldn't start, which has been reported

    private final AtomicInteger next = new AtomicInteger(); // round robin for other threads' work
    private final AtomicInteger sleeping = new AtomicInteger(); // carriers that could steal

    private CarrierGroup(int size, int sizeMax, boolean stealing, RingFactory rings) {
        super(size);
        this.rings = rings;
        this.sizeMax = sizeMax;
        stealingAllowed = stealing;
        roster = new Roster(size, sizeMax);
        watchdog = new Watchdog(this);
    }

    /**
     * Starts a group of carriers.
     *
     * @param size carriers, at least 1
     * @param sizeMax carriers that it may ever have
     * @param stealing whether an idle carrier takes tasks of the others
     * @throws RingException if one of them gets no ring: then none is left running
     */
    public static CarrierGroup start(int size, int sizeMax, boolean stealing, RingFactory rings)
            throws RingException, InterruptedException {
        var group = new CarrierGroup(size, sizeMax, stealing, rings);
        group.startMore(size);
        group.watchdog.start();
        return group;
    }

    // ---- size ----

    /**
     * Starts carriers or retires some, so that this many run virtual threads.
     *
     * @return how many did so before
     * @throws IllegalArgumentException if there can't be so many
     * @throws IllegalStateException if the kernel refuses one of them its ring: then nothing has
     *     changed
     */
    @Override
    public int setParallelism(int size) {
        if (size < 1 || size > sizeMax) {
            throw new IllegalArgumentException(
                    "parallelism " + size + " is not from 1 to " + sizeMax);
        }
        resizing.lock();
        try {
            startMore(size - roster.all().length);
            int before = roster.parallelism(size);
            watchdog.carrierAwake();
            return before;
        } catch (RingException e) {
            throw new IllegalStateException("loom-uring: no carrier added: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("loom-uring: interrupted, no carrier added", e);
        } finally {
            resizing.unlock();
        }
    }

    /** Starts so many carriers, if any; all of them or none. */
    private void startMore(int count) throws RingException, InterruptedException {
        var more = new Carrier[Math.max(0, count)];
        int started = 0;
        try {
            for (; started < more.length; started++) {
                more[started] = newCarrier(false);
                more[started].start();
                more[started].awaitStarted();
            }
        } finally {
            if (started < more.length) {
                for (int i = 0; i < started; i++) {
                    more[i].shutDown();
                }
            }
        }
        roster.add(more);
    }

    private Carrier newCarrier(boolean spare) {
        return new Carrier(this, numbers.incrementAndGet(), spare);
    }

    Roster roster() {
        return roster;
    }

    Watchdog watchdog() {
        return watchdog;
    }

    RingFactory settings() {
        return rings;
    }

    // ---- spares ----

    /** A carrier is about to block, as its virtual thread says. */
    void blocks(Carrier carrier) {
        roster.stuck(carrier, Roster.STUCK, false);
        watchdog.blocks();
    }

    /** Starts carriers that are missing, without waiting for them; by the watchdog. */
    void startSpares() {
        while (System.nanoTime() - noSpareUntil >= 0 && roster.beginStart()) {
            try {
                newCarrier(true).start();
            } catch (Throwable e) { // no memory, or no thread
                spareStarted(null, e);
            }
        }
    }

    /** A spare turns, or can't start; on its thread. */
    void spareStarted(Carrier spare, Throwable failure) {
        if (failure == null) {
            roster.add(spare);
        } else {
            noSpareUntil = System.nanoTime() + SPARE_RETRY_NANOS;
            if (roster.isMissing() && !spareRefused) {
                spareRefused = true;
                report("no further carrier can take over for those that are blocked", failure);
            }
        }
        roster.endStart();
    }

    // ---- scheduling ----

    @Override
    public void execute(Runnable task) {
        Carrier carrier = current();
        if (carrier != null && carrier.role() == Roster.IN_USE) {
            carrier.push(task);
        } else {
            pick().send(task);
        }
    }

    @Override
    public void execute(ForkJoinTask<?> task) {
        execute((Runnable) task); // the JDK's adapters of a Runnable are Runnables themselves
    }

    @Override
    public <T> ForkJoinTask<T> externalSubmit(ForkJoinTask<T> task) {
        execute(task);
        return task;
    }

    @Override
    public <T> ForkJoinTask<T> lazySubmit(ForkJoinTask<T> task) {
        execute(task);
        return task;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        Carrier carrier = current();
        return (carrier != null ? carrier : pick())
                .schedule(task, System.nanoTime() + unit.toNanos(delay));
    }

    /** The caller's carrier, if it is one of this group. */
    Carrier current() {
        return JdkInternals.Threads.currentCarrier() instanceof Carrier carrier
                        && carrier.getPool() == this
                ? carrier
                : null;
    }

    /** A carrier for work that comes from elsewhere: in turn; a stuck one if all are. */
    Carrier pick() {
        Carrier[] inUse = roster.inUse();
        return inUse[(next.getAndIncrement() & Integer.MAX_VALUE) % inUse.length];
    }

    // ---- stealing ----

    /** Whether a carrier may take tasks of others. */
    boolean maySteal(Carrier carrier) {
        return isStealing() && carrier.maySteal();
    }

    /** A lone carrier has nobody to steal from or to wake. */
    private boolean isStealing() {
        return stealingAllowed && roster.hasThieves();
    }

    /** Counts a carrier that may steal and goes to sleep (1), or is awake again (-1). */
    void sleeping(int change) {
        sleeping.addAndGet(change);
    }

    /**
     * After a push: wakes an idle carrier if this one has more than it can run at once. A thread
     * that runs on the carrier makes the first task of the queue wait already.
     */
    void offerToIdle(Carrier busy) {
        if (!isStealing()) {
            return;
        }
        VarHandle.fullFence(); // the push before the look: the other side counts, then looks
        if (sleeping.get() == 0) {
            return;
        }
        int waiting = busy.runQueue().size();
        boolean mounted = Thread.currentThread() != busy;
        if (waiting > (mounted ? 0 : 1)) {
            for (Carrier carrier : roster.inUse()) {
                if (carrier != busy && carrier.wake()) {
                    return;
                }
            }
        }
    }

    /** Whether a carrier that is about to sleep could steal. */
    boolean hasTasksFor(Carrier thief) {
        if (maySteal(thief)) {
            for (Carrier carrier : roster.all()) {
                if (carrier != thief && !carrier.runQueue().isEmpty()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Moves tasks of the fullest other carrier to an idle one; returns how many. */
    int stealFor(Carrier thief) {
        if (!maySteal(thief)) {
            return 0;
        }
        RunQueue fullest = null;
        int most = 0;
        for (Carrier carrier : roster.all()) {
            int size = carrier == thief ? 0 : carrier.runQueue().size();
            if (size > most) {
                most = size;
                fullest = carrier.runQueue();
            }
        }
        return fullest == null ? 0 : thief.runQueue().stealHalf(fullest);
    }

    // ---- observation ----

    /** What all carriers did so far. */
    public Counters counters() {
        var sum = new Counters();
        roster.addTo(sum);
        for (Carrier carrier : roster.all()) {
            sum.add(carrier.counters());
        }
        return sum;
    }

    /** Tells of an error on a thread of ours. */
    void report(Thread where, Throwable error) {
        report("internal error on " + where.getName(), error);
    }

    /** On a thread of its own: to print is to take locks. */
    private static void report(String what, Throwable error) {
        var reporter =
                new Thread(
                        () -> {
                            System.err.println("loom-uring: " + what);
                            error.printStackTrace();
                        },
                        "loom-uring-report");
        reporter.setDaemon(true);
        try {
            reporter.start();
        } catch (OutOfMemoryError e) {
            // there is no thread to say it, and to print is to take locks
        }
    }

    // ---- what the JDK's MXBean and jcmd show ----

    @Override
    public int getParallelism() {
        return roster.parallelism();
    }

    /** Retired carriers and spares included: they are threads. */
    @Override
    public int getPoolSize() {
        return roster.all().length;
    }

    /** Carriers on which a virtual thread is mounted. */
    @Override
    public int getActiveThreadCount() {
        int active = 0;
        for (Carrier carrier : roster.all()) {
            active += carrier.isMounted() ? 1 : 0;
        }
        return active;
    }

    @Override
    public int getRunningThreadCount() {
        return getActiveThreadCount();
    }

    @Override
    public long getQueuedTaskCount() {
        long queued = 0;
        for (Carrier carrier : roster.all()) {
            queued += carrier.runQueue().size();
        }
        return queued;
    }

    /** Tasks that other threads sent; for a moment, operations and deadlines as well. */
    @Override
    public int getQueuedSubmissionCount() {
        int queued = 0;
        for (Carrier carrier : roster.all()) {
            queued += carrier.messages();
        }
        return queued;
    }

    @Override
    public long getStealCount() {
        return counters().steals;
    }

    /** In the superclass's form, which {@code jcmd PID Thread.vthread_scheduler} prints. */
    @Override
    public String toString() {
        return Objects.toIdentityString(this)
                + "[Running, parallelism = "
                + getParallelism()
                + ", size = "
                + getPoolSize()
                + ", active = "
                + getActiveThreadCount()
                + ", steals = "
                + getStealCount()
                + ", tasks = "
                + getQueuedTaskCount()
                + ", submissions = "
                + getQueuedSubmissionCount()
                + "]";
    }
}
