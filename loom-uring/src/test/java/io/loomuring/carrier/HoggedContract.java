package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Pin;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;
import io.loomuring.testing.UninterruptibleSleep;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * More virtual threads that don't leave their carrier than there are carriers; the others go on.
 */
abstract class HoggedContract {
    static final int CARRIERS_MAX = 256; // the JDK's default
    private static final int VICTIMS = 40; // on both carriers
    private static final long HOG_COMES_MILLIS = 300;

    /** How each keeps its carrier. */
    enum Hog {
        COMPUTES {
            @Override
            void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception {
                begin.call();
                while (!done.get()) {
                    Thread.onSpinWait();
                }
            }
        },
        PARKS_PINNED {
            @Override
            void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception {
                begin.call();
                Pin.CRITICAL_SECTION.call(() -> {
                    while (!done.get()) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
                    }
                    return null;
                });
            }
        },

        /** In a section that the JDK knows to block. */
        READS_FROM_A_PROCESS {
            @Override
            void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception {
                Process process = new ProcessBuilder("cat").start();
                Running<Void> ender =
                        Running.onPlatform(() -> {
                            while (!done.get()) {
                                Thread.sleep(1);
                            }
                            process.getOutputStream().close();
                        });
                begin.call();
                assertThat(process.getInputStream().read()).isNegative();
                ender.result();
            }
        },

        OPENS_A_FIFO {
            @Override
            void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception {
                Path fifo = Files.createTempDirectory("fifo").resolve("fifo");
                assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                        .isZero();
                Running<Void> writer =
                        Running.onPlatform(() -> {
                            while (!done.get()) {
                                Thread.sleep(1);
                            }
                            new FileOutputStream(fifo.toFile()).close();
                        });
                begin.call();
                new FileInputStream(fifo.toFile()).close();
                writer.result();
                Files.delete(fifo);
                Files.delete(fifo.getParent());
            }
        },

        SLEEPS_UNINTERRUPTIBLY {
            @Override
            void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception {
                try (var fifo = new UninterruptibleSleep()) {
                    Running<Void> ender =
                            Running.onPlatform(() -> {
                                while (!done.get()) {
                                    Thread.sleep(1);
                                }
                                fifo.end();
                            });
                    begin.call();
                    fifo.sleep();
                    ender.result();
                }
            }
        };

        /** Calls {@code begin} just before. */
        abstract void hog(AtomicBoolean done, Callable<Integer> begin) throws Exception;
    }

    private final Arena arena = Arena.ofShared();
    private final List<SocketPair> pairs = new ArrayList<>();
    private final AtomicBoolean done = new AtomicBoolean();
    private final List<Running<Void>> hogs = new ArrayList<>();

    /** As the subclass installed it. */
    abstract int carriers();

    @AfterEach
    void free() throws Exception {
        done.set(true);
        Running.allEnd(hogs);
        pairs.forEach(SocketPair::peerShutsDown);
        pairs.forEach(SocketPair::close);
        arena.close();
    }

    private void startHogs(Hog kind) {
        int count = carriers() + 1;
        var hogging = new AtomicInteger();
        // what one sleeper's child inherits would keep the others' processes from being started
        var prepared = new CyclicBarrier(count);
        for (int i = 0; i < count; i++) {
            hogs.add(
                    Running.onVirtual(() ->
                            kind.hog(
                                    done,
                                    () -> {
                                        prepared.await();
                                        return hogging.incrementAndGet();
                                    })));
        }
        Await.until("all hog", () -> hogging.get() == hogs.size());
        if (kind == Hog.SLEEPS_UNINTERRUPTIBLY) {
            Await.until("all sleep", () -> UninterruptibleSleep.sleepers() == hogs.size());
        }
    }

    private record Receiver(Op op, Running<Integer> running) {}

    /** Half of them into native memory, which no operation leaves with the kernel, or none. */
    private List<Receiver> startReceivers(ThreadKind kind, boolean heap) {
        List<Receiver> receivers = new ArrayList<>();
        for (int i = 0; i < VICTIMS; i++) {
            SocketPair pair = SocketPair.open();
            pairs.add(pair);
            var op = new Op(_ -> {});
            boolean intoArray = heap || i % 2 == 0;
            var array = new byte[8];
            long memory = arena.allocate(8).address();
            receivers.add(
                    new Receiver(
                            op,
                            Running.on(
                                    kind.factory(),
                                    () -> {
                                        assertThat(op.tryClaim()).isTrue();
                                        return intoArray
                                                ? CarrierIo.recvHeap(op, pair.fd(), array, 0, 8, 0)
                                                : CarrierIo.recv(op, pair.fd(), memory, 8, 0, 0);
                                    })));
        }
        return receivers;
    }

    private static boolean isUnderWay(Op op) {
        return op.inFlight() || op.isBlocked();
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotKeepThreadsOfAPlatformThreadFromRunning(Hog kind) throws Exception {
        startHogs(kind);
        List<Running<Void>> victims = new ArrayList<>();
        for (int i = 0; i < VICTIMS; i++) {
            victims.add(Running.onVirtual(() -> {}));
        }
        Running.allEnd(victims);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotKeepParkedThreadsFromBeingUnparked(Hog kind) throws Exception {
        List<Running<Void>> victims = new ArrayList<>();
        var go = new AtomicBoolean();
        for (int i = 0; i < VICTIMS; i++) {
            victims.add(
                    Running.onVirtual(() -> {
                        while (!go.get()) {
                            LockSupport.park();
                        }
                    }));
        }
        startHogs(kind);
        go.set(true);
        victims.forEach(victim -> LockSupport.unpark(victim.thread()));
        Running.allEnd(victims);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotKeepSleepersFromWaking(Hog kind) throws Exception {
        List<Running<Void>> victims = new ArrayList<>();
        var sleeping = new AtomicInteger();
        for (int i = 0; i < VICTIMS; i++) {
            victims.add(
                    Running.onVirtual(() -> {
                        sleeping.incrementAndGet();
                        Thread.sleep(HOG_COMES_MILLIS);
                    }));
        }
        Await.until("all sleep", () -> sleeping.get() == VICTIMS);
        startHogs(kind);
        Running.allEnd(victims);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotKeepOperationsInFlightFromCompleting(Hog kind) throws Exception {
        for (ThreadKind threads : ThreadKind.values()) {
            pairs.clear();
            List<Receiver> receivers = startReceivers(threads, kind == Hog.SLEEPS_UNINTERRUPTIBLY);
            receivers.forEach(
                    receiver -> Await.until("in flight", () -> isUnderWay(receiver.op())));
            if (hogs.isEmpty()) {
                startHogs(kind);
            }
            pairs.forEach(pair -> pair.peerSends((byte) 1));
            for (Receiver receiver : receivers) {
                assertThat(receiver.running().result()).isOne();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotKeepOperationsInFlightFromBeingCancelled(Hog kind) throws Exception {
        List<Receiver> receivers =
                startReceivers(ThreadKind.VIRTUAL, kind == Hog.SLEEPS_UNINTERRUPTIBLY);
        receivers.forEach(receiver -> Await.until("in flight", () -> isUnderWay(receiver.op())));
        startHogs(kind);
        receivers.forEach(receiver -> receiver.op().cancel(Op.CLOSE));
        for (Receiver receiver : receivers) {
            assertThat(receiver.running().result()).isEqualTo(-Errno.ECANCELED);
        }
    }
}
