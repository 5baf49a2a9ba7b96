package io.loomuring.carrier;

import io.loomuring.jdk.JdkInternals;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
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
 * back when the group grows again.
 */
public final class CarrierGroup extends ForkJoinPool {
    /** Makes a carrier's ring, on the carrier's thread. */
    @FunctionalInterface
    public interface RingFactory {
        Ring newRing(Counters counters, Consumer<Op.Cancel> cancelSink) throws RingException;
    }

    private final RingFactory rings;
    private final int sizeMax;
    private final boolean stealingAllowed;
    private final Watchdog watchdog;
    private final ReentrantLock resizing = new ReentrantLock();

    private volatile Carrier[] carriers = {}; // that ever started; replaced while resizing
    private final AtomicInteger parallelism; // those beyond are retired; written while resizing
    private boolean stealing; // written while resizing; a late look does no harm

    private final AtomicInteger next = new AtomicInteger(); // round robin for other threads' work
    private final AtomicInteger sleeping = new AtomicInteger(); // carriers that could steal

    private CarrierGroup(int size, int sizeMax, boolean stealing, RingFactory rings) {
        super(size);
        this.rings = rings;
        this.sizeMax = sizeMax;
        stealingAllowed = stealing;
        parallelism = new AtomicInteger(size);
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
            if (size > carriers.length) {
                startMore(size);
            }
            int before = parallelism.getAndSet(size); // a full fence: see Wakeup
            for (int i = Math.min(size, before); i < Math.max(size, before); i++) {
                carriers[i].wake(); // to hand its tasks on, or to look for some
            }
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

    /** Starts carriers until there are so many; all of those that it starts, or none. */
    private void startMore(int size) throws RingException, InterruptedException {
        Carrier[] old = carriers;
        stealing = stealingAllowed && size > 1;
        Carrier[] all = Arrays.copyOf(old, size);
        int started = old.length;
        try {
            for (; started < size; started++) {
                all[started] = new Carrier(this, started);
                all[started].start();
                all[started].awaitStarted();
            }
        } finally {
            if (started < size) {
                stealing = stealingAllowed && old.length > 1;
                for (int i = old.length; i < started; i++) {
                    all[i].shutDown();
                }
            }
        }
        carriers = all;
        if (stealing && old.length == 1) {
            old[0].shareRunQueue();
        }
    }

    /** Whether a carrier gets no more work. */
    boolean isRetired(Carrier carrier) {
        return carrier.index() >= parallelism.getOpaque();
    }

    /** All that ever started, retired ones too. */
    Carrier[] carriers() {
        return carriers;
    }

    Watchdog watchdog() {
        return watchdog;
    }

    RingFactory settings() {
        return rings;
    }

    // ---- scheduling ----

    @Override
    public void execute(Runnable task) {
        Carrier carrier = current();
        if (carrier != null && !isRetired(carrier)) {
            carrier.push(task);
        } else {
            // without stealing a thread stays with the carrier whose ring its operation was on
            Carrier rescued = stealing ? null : watchdog.rescuing();
            (rescued != null && !isRetired(rescued) ? rescued : pick()).send(task);
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

    /** A carrier for work that comes from elsewhere: in turn, without those that are stuck. */
    Carrier pick() {
        int size = parallelism.getAcquire(); // before the carriers, of which there are no fewer
        Carrier[] all = carriers;
        int start = next.getAndIncrement() & Integer.MAX_VALUE;
        for (int i = 0; i < size; i++) {
            Carrier carrier = all[(start + i) % size];
            if (!carrier.isStuck()) {
                return carrier;
            }
        }
        return all[start % size];
    }

    // ---- stealing ----

    boolean isStealing() {
        return stealing;
    }

    /** Whether a carrier may take tasks of others. */
    boolean maySteal(Carrier carrier) {
        return stealing && !isRetired(carrier);
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
        if (!stealing) {
            return;
        }
        VarHandle.fullFence(); // the push before the look: the other side counts, then looks
        if (sleeping.get() == 0) {
            return;
        }
        int waiting = busy.runQueue().size();
        boolean mounted = Thread.currentThread() != busy;
        if (waiting > (mounted ? 0 : 1)) {
            for (Carrier carrier : carriers) {
                if (carrier != busy && !isRetired(carrier) && carrier.wake()) {
                    return;
                }
            }
        }
    }

    /** Whether a carrier that is about to sleep could steal. */
    boolean hasTasksFor(Carrier thief) {
        if (maySteal(thief)) {
            for (Carrier carrier : carriers) {
                if (carrier != thief && carrier.runQueue().stealable() > 0) {
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
        for (Carrier carrier : carriers) {
            int size = carrier == thief ? 0 : carrier.runQueue().stealable();
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
        for (Carrier carrier : carriers) {
            sum.add(carrier.counters());
        }
        return sum;
    }

    /** Tells of an error in a carrier's turn, on a thread of its own. */
    void report(Carrier carrier, Throwable error) {
        var reporter =
                new Thread(
                        () -> {
                            System.err.println(
                                    "loom-uring: internal error on " + carrier.getName());
                            error.printStackTrace();
                        },
                        "loom-uring-report");
        reporter.setDaemon(true);
        reporter.start();
    }

    // ---- what the JDK's MXBean and jcmd show ----

    @Override
    public int getParallelism() {
        return parallelism.get();
    }

    /** Retired carriers included: they are threads. */
    @Override
    public int getPoolSize() {
        return carriers.length;
    }

    /** Carriers on which a virtual thread is mounted. */
    @Override
    public int getActiveThreadCount() {
        int active = 0;
        for (Carrier carrier : carriers) {
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
        for (Carrier carrier : carriers) {
            queued += carrier.runQueue().size();
        }
        return queued;
    }

    /** Tasks that other threads sent; for a moment, operations and deadlines as well. */
    @Override
    public int getQueuedSubmissionCount() {
        int queued = 0;
        for (Carrier carrier : carriers) {
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
