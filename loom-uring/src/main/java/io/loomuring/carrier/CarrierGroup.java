package io.loomuring.carrier;

import io.loomuring.jdk.JdkInternals;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;

import java.lang.invoke.VarHandle;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The scheduler: a fixed group of carriers. It is a {@link ForkJoinPool} by type only, since that
 * is what the JDK's field holds; no worker of the superclass ever starts.
 *
 * <p>{@link #execute} is called by any thread, a virtual one pinned: it takes no lock and never
 * blocks.
 */
public final class CarrierGroup extends ForkJoinPool {
    /** Makes a carrier's ring, on the carrier's thread. */
    @FunctionalInterface
    public interface RingFactory {
        Ring newRing(Counters counters, Consumer<Op.Cancel> cancelSink) throws RingException;
    }

    private final RingFactory rings;
    private final boolean stealing;
    private final Carrier[] carriers;
    private final Watchdog watchdog;
    private final AtomicInteger next = new AtomicInteger(); // round robin for other threads' work
    private final AtomicInteger sleeping = new AtomicInteger(); // carriers in their rings' wait

    private CarrierGroup(int size, boolean stealing, RingFactory rings) {
        super(size);
        this.rings = rings;
        this.stealing = stealing && size > 1;
        carriers = new Carrier[size];
        watchdog = new Watchdog(this, carriers);
    }

    /**
     * Starts a group of carriers.
     *
     * @param size carriers, at least 1
     * @param stealing whether an idle carrier takes tasks of the others
     * @throws RingException if one of them gets no ring: then none is left running
     */
    public static CarrierGroup start(int size, boolean stealing, RingFactory rings)
            throws RingException, InterruptedException {
        var group = new CarrierGroup(size, stealing, rings);
        for (int i = 0; i < size; i++) {
            group.carriers[i] = new Carrier(group, i + 1);
        }
        int started = 0;
        try {
            for (; started < size; started++) {
                group.carriers[started].start();
                group.carriers[started].awaitStarted();
            }
        } finally {
            if (started < size) {
                for (int i = 0; i < started; i++) {
                    group.carriers[i].shutDown();
                }
            }
        }
        group.watchdog.start();
        return group;
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
        if (carrier != null) {
            carrier.push(task);
        } else {
            // without stealing a thread stays with the carrier whose ring its operation was on
            Carrier rescued = stealing ? null : watchdog.rescuing();
            (rescued != null ? rescued : pick()).send(task);
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
        int start = next.getAndIncrement() & Integer.MAX_VALUE;
        for (int i = 0; i < carriers.length; i++) {
            Carrier carrier = carriers[(start + i) % carriers.length];
            if (!carrier.isStuck()) {
                return carrier;
            }
        }
        return carriers[start % carriers.length];
    }

    // ---- stealing ----

    boolean isStealing() {
        return stealing;
    }

    /** Counts a carrier that goes to sleep (1) or is awake again (-1). */
    void sleeping(int change) {
        if (stealing) {
            sleeping.addAndGet(change);
        }
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
                if (carrier != busy && carrier.wake()) {
                    return;
                }
            }
        }
    }

    /** Whether a carrier that is about to sleep could steal. */
    boolean hasTasksFor(Carrier thief) {
        if (stealing) {
            for (Carrier carrier : carriers) {
                if (carrier != thief && !carrier.runQueue().isEmpty()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Moves tasks of the fullest other carrier to an idle one; returns how many. */
    int stealFor(Carrier thief) {
        if (!stealing) {
            return 0;
        }
        RunQueue fullest = null;
        int most = 0;
        for (Carrier carrier : carriers) {
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

    @Override
    public int getParallelism() {
        return carriers.length;
    }

    @Override
    public int getPoolSize() {
        return carriers.length;
    }

    @Override
    public long getQueuedTaskCount() {
        long queued = 0;
        for (Carrier carrier : carriers) {
            queued += carrier.runQueue().size();
        }
        return queued;
    }

    @Override
    public String toString() {
        return "loom-uring[carriers = "
                + carriers.length
                + ", queued tasks = "
                + getQueuedTaskCount()
                + "]";
    }
}
