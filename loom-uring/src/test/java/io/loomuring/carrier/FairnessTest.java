package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomuring.LoomUring;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** One carrier that is never idle, and who must have his turn all the same. */
@SuppressWarnings("ThreadPriorityCheck") // yielding is one of the ways to be busy
class FairnessTest {
    private static final int MORE_THAN_A_BATCH = 300; // Carrier's has 256 tasks at most
    private static final long LONG_TASK_NANOS = 1_000_000;
    private static final int TURNS = 10;
    private static final int BURST = 1000;
    private static final int LONG_BURST = 100;
    private static final int LONG_TASKS_MAX = 5;
    private static final int SLEEPS = 100;
    private static final int LATE_TASKS_MAX = 64;
    private static final long SLEEP_NANOS = 1_000_000;
    private static final long SLACK_NANOS = 20_000; // the deadline is set a little later

    private final AtomicBoolean done = new AtomicBoolean();
    private final List<Running<Void>> busy = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void install() {
        Installed.install(1, true);
    }

    @AfterEach
    void end() throws Exception {
        done.set(true);
        busy.forEach(thread -> LockSupport.unpark(thread.thread()));
        Running.allEnd(busy);
    }

    private void keepBusy(int count, Running.Body step) {
        var begun = new AtomicInteger();
        for (int i = 0; i < count; i++) {
            busy.add(
                    Running.onVirtual(() -> {
                        begun.incrementAndGet();
                        while (!done.get()) {
                            step.run();
                        }
                    }));
        }
        Await.until("all run", () -> begun.get() == count);
    }

    /** More threads than a batch has, each with an operation that completes at once. */
    private void flood() {
        keepBusy(
                MORE_THAN_A_BATCH,
                () -> {
                    var op = new Op(_ -> {});
                    assertThat(op.tryClaim()).isTrue();
                    assertThat(CarrierIo.nop(op)).isZero();
                });
    }

    private void yielding() {
        keepBusy(MORE_THAN_A_BATCH, Thread::yield);
    }

    private static void expectAll() throws Exception {
        Running.onVirtual(() -> {}).result();
        Running.onVirtual(() -> Thread.sleep(1)).result();
        SocketPair pair = SocketPair.open();
        try (Arena arena = Arena.ofShared()) {
            long memory = arena.allocate(8).address();
            var op = new Op(_ -> {});
            Running<Integer> receiver =
                    Running.onVirtual(() -> {
                        assertThat(op.tryClaim()).isTrue();
                        return CarrierIo.recv(op, pair.fd(), memory, 8, 0, 0);
                    });
            Await.until("in flight", op::inFlight);
            pair.peerSends((byte) 1);
            assertThat(receiver.result()).isOne();
        } finally {
            pair.close();
        }
    }

    @Test
    void shouldHaveTimeForOthersBesidesAFloodOfCompletions() throws Exception {
        flood();
        expectAll();
    }

    @Test
    void shouldHaveTimeForOthersBesidesThreadsThatYield() throws Exception {
        yielding();
        expectAll();
    }

    /** A whole batch of these takes a quarter of a second. */
    @Test
    void shouldTurnInTheMiddleOfABatchOfLongTasks() throws Exception {
        keepBusy(MORE_THAN_A_BATCH, FairnessTest::computeAndYield);
        long tasks = 0;
        for (int i = 0; i < TURNS; i++) {
            tasks +=
                    Running.on(ThreadKind.FOREIGN.factory(), FairnessTest::tasksOfAnOperation)
                            .result();
        }
        assertThat(tasks / TURNS).as("tasks a turn").isLessThan(MORE_THAN_A_BATCH / 5);
    }

    /** A batch of these has 256 tasks, half of which would come before, and looks after 32. */
    @Test
    void shouldFireADeadlineInTheMiddleOfABatch() throws Exception {
        var due = new AtomicLong(Long.MAX_VALUE);
        var tasksWhenDue = new AtomicLong();
        keepBusy(
                2,
                () -> {
                    if (System.nanoTime() >= due.get()) {
                        due.set(Long.MAX_VALUE);
                        tasksWhenDue.set(LoomUring.counters().tasks);
                    }
                    Thread.yield();
                });
        long[] tasks = new long[SLEEPS];
        for (int i = 0; i < SLEEPS; i++) {
            tasks[i] = Running.onVirtual(() -> tasksTooLate(due, tasksWhenDue)).result();
        }
        Arrays.sort(tasks); // some are of moments when the processor was another's
        assertThat(tasks[SLEEPS / 2]).isLessThan(LATE_TASKS_MAX);
    }

    @Test
    void shouldResumeThreadsInTheMiddleOfABurstOfNewOnes() throws Exception {
        var begun = new AtomicInteger();
        List<Long> tasks = tasksOfOperationsBeside(BURST, begun::incrementAndGet);
        assertThat(begun.get()).isEqualTo(BURST);
        assertThat(tasks.getLast()).as("tasks while an operation completes").isLessThan(BURST / 4);
    }

    /** As many of these at a time would keep the others waiting a thousand times as long. */
    @Test
    void shouldResumeThreadsBetweenNewOnesThatComputeLong() throws Exception {
        List<Long> tasks = tasksOfOperationsBeside(LONG_BURST, FairnessTest::compute);
        assertThat(tasks.get(tasks.size() / 2))
                .as("tasks while an operation completes, median")
                .isLessThan(LONG_TASKS_MAX);
    }

    /**
     * Tasks that the carrier runs while an operation completes, least first, of operations one
     * after the other. Others start the threads of a burst while the carrier computes, so that it
     * finds them at once.
     */
    private List<Long> tasksOfOperationsBeside(int burst, Running.Body body) throws Exception {
        assumeFalse(Installed.isPolled(), "operations complete when the kernel's thread gets on");
        var allStarted = new AtomicBoolean();
        var tasks = new CopyOnWriteArrayList<Long>();
        keepBusy(1, () -> tasks.add(tasksOfAnOperation()));
        Running<Void> computing =
                Running.onVirtual(() -> {
                    while (!allStarted.get()) {
                        Thread.onSpinWait();
                    }
                });
        var threads = new ArrayList<Running<Void>>();
        for (int i = 0; i < burst; i++) {
            threads.add(Running.onVirtual(body));
        }
        tasks.clear();
        allStarted.set(true);
        computing.result();
        Running.allEnd(threads);
        var sorted = new ArrayList<>(tasks);
        sorted.sort(null);
        return sorted;
    }

    /** Tasks that the carrier runs until it has submitted an operation and seen it complete. */
    private static long tasksOfAnOperation() {
        long before = LoomUring.counters().tasks;
        var op = new Op(_ -> {});
        assertThat(op.tryClaim()).isTrue();
        assertThat(CarrierIo.nop(op)).isZero();
        return LoomUring.counters().tasks - before;
    }

    /** Tasks that the carrier runs after a sleep should have ended, before it does. */
    private static long tasksTooLate(AtomicLong due, AtomicLong tasksWhenDue) {
        tasksWhenDue.set(Long.MAX_VALUE);
        due.set(System.nanoTime() + SLEEP_NANOS + SLACK_NANOS);
        LockSupport.parkNanos(SLEEP_NANOS);
        due.set(Long.MAX_VALUE);
        return LoomUring.counters().tasks - tasksWhenDue.get(); // negative: in time
    }

    private static void compute() {
        long end = System.nanoTime() + LONG_TASK_NANOS;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private static void computeAndYield() {
        compute();
        Thread.yield();
    }
}
