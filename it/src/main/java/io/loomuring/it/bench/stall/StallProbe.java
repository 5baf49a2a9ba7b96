package io.loomuring.it.bench.stall;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Virtual threads that wait for something most of the time, some that keep their carriers, and the
 * longest that one of the former went on too late. A program of its own; its lines are
 *
 * <pre>
 *     WORST MICROS MICROS MICROS MICROS        once a round, in the order of {@link Victim}
 * </pre>
 *
 * <p>Platform threads bring what comes from outside, one for each kind. A victim's next wait is
 * some {@link #PERIOD_MILLIS} after the last, longer if there are many of them.
 */
public final class StallProbe {
    private static final long PERIOD_MILLIS = 10;
    private static final int VICTIMS_A_PERIOD = 100; // else the machine is busy with them alone
    private static final int ACCEPTORS_MAX = 50;
    private static final int WARM_UP_HOG_MILLIS = 200;
    private static final long WARM_UP_MILLIS = 1_500;
    private static final long BETWEEN_MILLIS = 300;
    private static final long SILENCE_MAX_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final int victims;
    private final long periodNanos;
    private final AtomicBoolean done = new AtomicBoolean();
    private final List<Thread> threads = new ArrayList<>();

    private StallProbe(int victims) {
        this.victims = victims;
        periodNanos =
                TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS)
                        * Math.max(1, victims / VICTIMS_A_PERIOD);
    }

    /** Arguments: how many victims, rounds, milliseconds of a hog, then each hog's kind. */
    public static void main(String[] args) throws Exception {
        var hogs = new ArrayList<Hog>();
        for (int i = 3; i < args.length; i++) {
            hogs.add(Hog.valueOf(args[i]));
        }
        new StallProbe(Integer.parseInt(args[0]))
                .run(Integer.parseInt(args[1]), Long.parseLong(args[2]), hogs);
        System.exit(0);
    }

    private void run(int rounds, long hogMillis, List<Hog> hogs) throws Exception {
        int each = victims / Victim.values().length;
        startAcceptors(Math.min(each, ACCEPTORS_MAX));
        startReceivers(each);
        startSleepers(victims - 3 * each + each - Math.min(each, ACCEPTORS_MAX));
        startHandOffs(each / 2);
        runHogs(WARM_UP_HOG_MILLIS, hogs); // what they need is loaded, and others took over once
        Thread.sleep(WARM_UP_MILLIS);
        for (int round = 0; round < rounds; round++) {
            Thread.sleep(BETWEEN_MILLIS);
            for (Victim victim : Victim.values()) {
                victim.takeWorstNanos();
            }
            runHogs(hogMillis, hogs);
            LockSupport.parkNanos(3 * periodNanos); // who was late has said so
            var line = new StringBuilder("WORST");
            for (Victim victim : Victim.values()) {
                awaitOne(victim);
                line.append(' ').append(TimeUnit.NANOSECONDS.toMicros(victim.takeWorstNanos()));
            }
            System.out.println(line);
        }
        done.set(true);
    }

    /** That none is late is no news if none goes on. */
    private static void awaitOne(Victim victim) {
        long end = System.nanoTime() + SILENCE_MAX_NANOS;
        while (victim.isSilent()) {
            if (System.nanoTime() - end > 0) {
                fail(new IllegalStateException(victim.label() + ": none goes on any more"));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static void runHogs(long millis, List<Hog> hogs) throws InterruptedException {
        var ended = new CountDownLatch(hogs.size());
        for (Hog hog : hogs) {
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            hog.hog(TimeUnit.MILLISECONDS.toNanos(millis));
                        } catch (Throwable e) {
                            fail(e);
                        }
                        ended.countDown();
                    });
        }
        ended.await();
    }

    /** Ends the program: what a thread of it was for is not done. */
    private static void fail(Throwable e) {
        e.printStackTrace();
        Runtime.getRuntime().halt(1);
    }

    private interface Body {
        void run() throws Exception;
    }

    private static Runnable untilDone(AtomicBoolean done, Body body) {
        return () -> {
            try {
                while (!done.get()) {
                    body.run();
                }
            } catch (Exception e) {
                if (!done.get()) {
                    fail(e);
                }
            }
        };
    }

    private void virtual(Body body) {
        threads.add(Thread.ofVirtual().start(untilDone(done, body)));
    }

    private void platform(Body body) {
        threads.add(Thread.ofPlatform().daemon().start(untilDone(done, body)));
    }

    // ---- the victims ----

    /** Each gets the time at which it was sent. */
    private void startReceivers(int count) throws IOException {
        var outs = new ArrayList<DataOutputStream>();
        try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            for (int i = 0; i < count; i++) {
                var out = new Socket(listener.getInetAddress(), listener.getLocalPort());
                out.setTcpNoDelay(true);
                outs.add(new DataOutputStream(out.getOutputStream()));
                Socket in = listener.accept();
                var stream = new DataInputStream(in.getInputStream());
                virtual(() -> Victim.RECEIVE.couldGoOnSince(stream.readLong()));
            }
        }
        platform(() -> spread(outs.size(), i -> outs.get(i).writeLong(System.nanoTime())));
    }

    /** Each accepts, and closes when the other side does. */
    private void startAcceptors(int count) throws IOException {
        var listeners = new ArrayList<ServerSocket>();
        for (int i = 0; i < count; i++) {
            var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listeners.add(listener);
            virtual(() -> {
                try (Socket socket = listener.accept();
                        InputStream in = socket.getInputStream()) {
                    Victim.ACCEPT.couldGoOnSince(new DataInputStream(in).readLong());
                }
            });
        }
        platform(() ->
                spread(
                        count,
                        i -> {
                            ServerSocket listener = listeners.get(i);
                            try (var socket =
                                    new Socket(
                                            listener.getInetAddress(), listener.getLocalPort())) {
                                socket.setSoLinger(true, 0); // leaves nothing in TIME_WAIT
                                var out = new DataOutputStream(socket.getOutputStream());
                                out.writeLong(System.nanoTime());
                                socket.getInputStream().read(); // until it is closed
                            }
                        }));
    }

    private void startSleepers(int count) {
        for (int i = 0; i < count; i++) {
            virtual(() -> {
                long end = System.nanoTime() + periodNanos;
                TimeUnit.NANOSECONDS.sleep(periodNanos);
                Victim.SLEEP.couldGoOnSince(end);
            });
        }
    }

    /** Each pair passes a turn to and fro, with a sleep between. */
    private void startHandOffs(int pairs) {
        for (int i = 0; i < pairs; i++) {
            var pair = new HandOff();
            virtual(() -> pair.takeTurn(0));
            virtual(() -> pair.takeTurn(1));
        }
    }

    private final class HandOff {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition turned = lock.newCondition();
        private int turn; // guarded by lock
        private long since = System.nanoTime(); // guarded by lock

        void takeTurn(int side) throws InterruptedException {
            lock.lock();
            try {
                while (turn != side) {
                    turned.await();
                }
                Victim.HAND_OFF.couldGoOnSince(since);
            } finally {
                lock.unlock();
            }
            TimeUnit.NANOSECONDS.sleep(periodNanos);
            lock.lock();
            try {
                turn = 1 - side;
                since = System.nanoTime();
                turned.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    private interface Step {
        void take(int index) throws IOException;
    }

    /** Takes a step for each index, evenly over a period. */
    private void spread(int count, Step step) throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < count && !done.get(); i++) {
            long left = start + periodNanos * i / count - System.nanoTime();
            if (left > 0) {
                LockSupport.parkNanos(left);
            }
            step.take(i);
        }
        LockSupport.parkNanos(start + periodNanos - System.nanoTime());
    }
}
