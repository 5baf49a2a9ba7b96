package io.loomuring.ring;

import static io.loomuring.ring.RingFixture.claimedOp;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.observe.Counters;
import io.loomuring.testing.Await;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The kernel's thread that submits: it needs no system call, sleeps without work, is shared. */
class SqThreadTest {
    private static final int ENTRIES = 8;
    private static final int LONG_MILLIS = 60_000;
    private static final int SHORT_MILLIS = 1; // rounded to the kernel's tick
    private static final int AROUND_SLEEP_NANOS = 12_000_000; // more than two ticks
    private static final int ROUNDS = 300;
    private static final int FULL_QUEUES = 20;
    private static final int MANY = 100_000; // operations, if the thread always keeps up

    private final Counters counters = new Counters();
    private final List<Ring> rings = new ArrayList<>();

    @BeforeAll
    static void load() {
        SqPolling.assumeAllowed();
    }

    @AfterEach
    void close() {
        List.copyOf(rings).forEach(this::close);
        Await.until("the end of the kernel's thread", () -> sqThreads().isEmpty());
    }

    private void close(Ring ring) {
        ring.close();
        rings.remove(ring);
    }

    private Ring newRing(SqThread thread) throws RingException {
        var ring = new Ring(ENTRIES, 2 * ENTRIES, 0, thread, counters, _ -> {});
        rings.add(ring);
        return ring;
    }

    private static Op submittedNop(Ring ring) {
        Op op = claimedOp();
        op.prepNop();
        assertThat(ring.submit(op)).isTrue();
        return op;
    }

    private static void awaitEnd(Ring ring, Op op) {
        long start = System.nanoTime();
        while (op.inFlight()) {
            ring.enter(RingFixture.LONG_NANOS);
            assertThat(System.nanoTime() - start).isLessThan(RingFixture.LONG_NANOS);
        }
        assertThat(op.result()).isZero();
    }

    /** The kernel's threads in this process, as folders of {@code /proc}. */
    private static List<Path> sqThreads() {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.filter(task -> read(task.resolve("comm")).startsWith("iou-sqp-")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** It names itself as it starts. */
    private static Path onlySqThread() {
        Await.until("the kernel's thread", () -> !sqThreads().isEmpty());
        List<Path> threads = sqThreads();
        assertThat(threads).hasSize(1);
        return threads.getFirst();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return ""; // that thread has just ended
        }
    }

    private static boolean sleeps(Path task) {
        String stat = read(task.resolve("stat"));
        return stat.startsWith("S", stat.lastIndexOf(')') + 2);
    }

    @Test
    void shouldSubmitWithoutASystemCall() throws RingException {
        Ring ring = newRing(new SqThread(LONG_MILLIS));
        awaitEnd(ring, submittedNop(ring)); // it begins by sleeping
        long enters = counters.enters;
        for (int i = 0; i < 10 * ENTRIES; i++) {
            Op op = submittedNop(ring);
            Await.until(
                    "the end of " + op,
                    () -> {
                        ring.enter(0);
                        return !op.inFlight();
                    });
        }
        assertThat(counters.completions).isEqualTo(1 + 10 * ENTRIES);
        assertThat(counters.enters).isEqualTo(enters);
    }

    @Test
    void shouldBeWokenForASubmissionOnceItSleeps() throws RingException {
        Ring ring = newRing(new SqThread(SHORT_MILLIS));
        Path task = onlySqThread();
        Await.until("it sleeps", () -> sleeps(task));
        Op op = submittedNop(ring);
        assertThat(ring.needsEnter()).isTrue();
        awaitEnd(ring, op);
    }

    @Test
    void shouldStaySleepingWhileItsRingsOnlyWait() throws RingException {
        Ring ring = newRing(new SqThread(SHORT_MILLIS));
        Path task = onlySqThread();
        Await.until("it sleeps", () -> sleeps(task));
        String ran = read(task.resolve("schedstat"));
        for (int i = 0; i < 10; i++) {
            ring.enter(SHORT_MILLIS * 1_000_000);
        }
        assertThat(counters.enters).isEqualTo(10);
        assertThat(read(task.resolve("schedstat"))).isEqualTo(ran);
    }

    @Test
    void shouldMissNoSubmissionWhileItGoesToSleep() {
        Seeds.withRandom(random -> {
            Ring ring = newRing(new SqThread(SHORT_MILLIS));
            for (int i = 0; i < ROUNDS; i++) {
                LockSupport.parkNanos(random.nextInt(AROUND_SLEEP_NANOS));
                awaitEnd(ring, submittedNop(ring));
            }
        });
    }

    @Test
    void shouldBeWaitedForInOneSystemCallWhenTheQueueIsFull() throws RingException {
        Ring ring = newRing(new SqThread(LONG_MILLIS));
        awaitEnd(ring, submittedNop(ring));
        long enters = counters.enters;
        List<Op> ops = new ArrayList<>();
        while (counters.submissionQueueFull < FULL_QUEUES && ops.size() < MANY) {
            ops.add(submittedNop(ring));
        }
        long waits = counters.enters - enters;
        ops.forEach(op -> awaitEnd(ring, op));
        // none where the thread made room between the look and the call
        assertThat(waits).isPositive().isLessThanOrEqualTo(counters.submissionQueueFull);
    }

    @Test
    void shouldServeSeveralRings() throws RingException {
        var thread = new SqThread(SHORT_MILLIS);
        for (int i = 0; i < 3; i++) {
            newRing(thread);
        }
        for (Ring ring : rings) {
            awaitEnd(ring, submittedNop(ring));
        }
        assertThat(onlySqThread()).isNotNull();
    }

    @Test
    void shouldServeTheOthersWhenTheRingIsClosedThatBroughtIt() throws RingException {
        var thread = new SqThread(SHORT_MILLIS);
        Ring first = newRing(thread);
        Ring second = newRing(thread);
        close(first);
        Ring third = newRing(thread);
        awaitEnd(second, submittedNop(second));
        awaitEnd(third, submittedNop(third));
        assertThat(onlySqThread()).isNotNull();
    }

    @Test
    void shouldStartAnewAfterItsLastRing() throws RingException {
        var thread = new SqThread(SHORT_MILLIS);
        close(newRing(thread));
        Ring ring = newRing(thread);
        awaitEnd(ring, submittedNop(ring));
    }
}
