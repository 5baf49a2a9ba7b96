package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;

import com.sun.management.ThreadMXBean;

import io.loomuring.abi.Errno;
import io.loomuring.abi.SocketAbi;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Selectors; what holds for ours holds for the JDK's. */
@Timeout(60) // seconds a test; interrupts it
class SelectorTest {
    private static final String CASES = "io.loomuring.net.Cases#providersAndThreads";
    private static final String CASES_OF_TWO = "io.loomuring.net.Cases#providersAndThreadPairs";

    private static final long PATIENCE_MILLIS = 20_000;

    /** Before anything is installed: a spare would start in the middle, with an eventfd. */
    @BeforeAll
    static void withoutSpares() {
        System.setProperty(
                "jdk.virtualThreadScheduler.maxPoolSize",
                Integer.toString(Runtime.getRuntime().availableProcessors()));
    }

    /** A selector and a connection, whose client is registered. */
    private record Scene(Selector selector, Provider.Pair pair, SelectionKey key)
            implements AutoCloseable {
        static Scene of(Provider provider, int ops) throws IOException {
            Selector selector = provider.get().openSelector();
            Provider.Pair pair = provider.pair();
            pair.client().configureBlocking(false);
            return new Scene(selector, pair, pair.client().register(selector, ops));
        }

        void peerSends(int bytes) throws IOException {
            pair.server().write(ByteBuffer.allocate(bytes));
        }

        void receive(int bytes) throws IOException {
            ByteBuffer dst = ByteBuffer.allocate(bytes);
            while (dst.hasRemaining()) {
                assertThat(pair.client().read(dst)).isNotNegative();
            }
        }

        @Override
        public void close() throws IOException {
            pair.close();
            selector.close();
        }
    }

    private static <T> T on(ThreadKind thread, Callable<T> body) throws Exception {
        return Attempt.start(thread, body).get();
    }

    private static void ignore(SelectionKey key) {}

    // ---- readiness ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldWaitUntilAChannelIsReady(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            for (int i = 0; i < 3; i++) {
                var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
                scene.peerSends(1);
                assertThat(select.get()).isEqualTo(1);
                assertThat(scene.selector.selectedKeys()).containsExactly(scene.key);
                assertThat(scene.key.readyOps()).isEqualTo(OP_READ);
                scene.receive(1);
                scene.selector.selectedKeys().clear();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldFindWhatIsReadyAlready(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_WRITE)) {
            List<Callable<Integer>> selects =
                    List.of(
                            () -> scene.selector.select(),
                            () -> scene.selector.select(PATIENCE_MILLIS),
                            () -> scene.selector.select(Long.MAX_VALUE),
                            () -> scene.selector.selectNow());
            for (var select : selects) {
                assertThat(on(thread, select)).isEqualTo(1);
                scene.selector.selectedKeys().clear();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReportWhatIsReadyUntilItIsTaken(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            scene.peerSends(2);
            for (int taken = 0; taken < 2; taken++) {
                assertThat(on(thread, () -> scene.selector.select(PATIENCE_MILLIS))).isEqualTo(1);
                scene.selector.selectedKeys().clear();
                scene.receive(1);
            }
            assertThat(on(thread, () -> scene.selector.selectNow())).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldAddToASelectedKeyWhatIsReadyNow(Provider provider) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            scene.peerSends(1);
            assertThat(scene.selector.select()).isEqualTo(1);
            assertThat(scene.selector.select()).as("keys that changed").isZero();
            scene.receive(1);
            scene.key.interestOps(OP_READ | OP_WRITE);
            assertThat(scene.selector.select()).isEqualTo(1);
            assertThat(scene.key.readyOps()).isEqualTo(OP_READ | OP_WRITE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFollowEveryChangeOfInterest(Provider provider) throws Exception {
        try (Scene scene = Scene.of(provider, 0)) {
            scene.peerSends(1);
            for (int i = 0; i < 100; i++) {
                int ops = ThreadLocalRandom.current().nextInt(4);
                int interest = (ops & 1) * OP_READ | (ops >> 1) * OP_WRITE;
                scene.key.interestOps(interest);
                scene.selector.selectedKeys().clear();
                assertThat(scene.selector.selectNow()).isEqualTo(interest == 0 ? 0 : 1);
                if (interest != 0) {
                    assertThat(scene.key.readyOps()).isEqualTo(interest);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReportTheEndOfAStream(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.pair.server().close();
            assertThat(select.get()).isEqualTo(1);
            assertThat(scene.pair.client().read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    // ---- timeouts ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldEndAtTheTimeoutAndNotBefore(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            for (long millis : new long[] {1, 30}) {
                long start = System.nanoTime();
                assertThat(on(thread, () -> scene.selector.select(millis))).isZero();
                assertThat(on(thread, () -> scene.selector.select(SelectorTest::ignore, millis)))
                        .isZero();
                assertThat(Duration.ofNanos(System.nanoTime() - start))
                        .isGreaterThanOrEqualTo(Duration.ofMillis(2 * millis));
            }
            scene.peerSends(1);
            assertThat(on(thread, () -> scene.selector.select(PATIENCE_MILLIS))).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldNotWaitInSelectNow(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            assertThat(on(thread, () -> scene.selector.selectNow())).isZero();
            assertThat(on(thread, () -> scene.selector.selectNow(SelectorTest::ignore))).isZero();
        }
    }

    // ---- actions ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldPassReadyKeysToAnAction(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var keys = new ArrayList<SelectionKey>();
            var select = Attempt.start(thread, () -> scene.selector.select(keys::add));
            select.awaitBlocked();
            scene.peerSends(1);
            assertThat(select.get()).isEqualTo(1);
            assertThat(on(thread, () -> scene.selector.select(keys::add, 1))).isEqualTo(1);
            assertThat(on(thread, () -> scene.selector.selectNow(keys::add))).isEqualTo(1);
            assertThat(keys).containsExactly(scene.key, scene.key, scene.key);
            assertThat(scene.selector.selectedKeys()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldStillWakeUpAfterAnActionThrew(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_WRITE)) {
            scene.selector.wakeup(); // seen by the select whose action throws
            Consumer<SelectionKey> refuse =
                    key -> {
                        throw new IllegalArgumentException("refused");
                    };
            assertThat(Attempt.start(thread, () -> scene.selector.select(refuse)).failure())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("refused");
            scene.key.interestOps(0);
            scene.selector.selectNow(); // what the JDK's has kept of the wake-up
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.selector.wakeup();
            assertThat(select.get()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldEndWhenAnActionClosesTheSelector(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_WRITE);
                var other = provider.pair()) {
            other.client().configureBlocking(false).register(scene.selector, OP_WRITE);
            var calls = new AtomicInteger();
            Consumer<SelectionKey> close =
                    key -> {
                        calls.incrementAndGet();
                        try {
                            scene.selector.close();
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    };
            assertThat(Attempt.start(thread, () -> scene.selector.select(close)).failure())
                    .isInstanceOf(ClosedSelectorException.class);
            assertThat(calls).hasValue(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotPassAKeyThatAnActionHasCancelled(Provider provider) throws Exception {
        try (Scene scene = Scene.of(provider, OP_WRITE);
                var other = provider.pair()) {
            other.client().configureBlocking(false).register(scene.selector, OP_WRITE);
            var calls = new AtomicInteger();
            scene.selector.select(key -> {
                calls.incrementAndGet();
                key.cancel();
            });
            int first = calls.get();
            scene.selector.selectNow(key -> calls.incrementAndGet());
            assertThat(calls).hasValue(first);
            assertThat(scene.selector.keys()).isEmpty();
        }
    }

    // ---- wake-up ----

    @ParameterizedTest
    @MethodSource(CASES_OF_TWO)
    void shouldWakeUpFromAnyThread(Provider provider, ThreadKind thread, ThreadKind waker)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            for (int i = 0; i < 3; i++) {
                var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
                assertThat(on(waker, () -> scene.selector.wakeup())).isSameAs(scene.selector);
                assertThat(select.get()).isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldEndTheNextSelectWhenWokenBefore(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            for (int i = 0; i < 3; i++) {
                scene.selector.wakeup().wakeup(); // counts once
                assertThat(on(thread, () -> scene.selector.select())).isZero();
                scene.selector.wakeup();
                assertThat(on(thread, () -> scene.selector.selectNow())).isZero();
                var next = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
                scene.peerSends(1);
                assertThat(next.get()).isEqualTo(1);
                scene.receive(1);
                scene.selector.selectedKeys().clear();
            }
        }
    }

    /** Each sees what the other did before: the waker's number, and that it was taken. */
    @ParameterizedTest
    @MethodSource(CASES_OF_TWO)
    void shouldLoseNoWakeUp(Provider provider, ThreadKind thread, ThreadKind waker)
            throws Exception {
        int rounds = 2_000;
        try (Selector selector = provider.get().openSelector()) {
            var sent = new AtomicInteger();
            var taken = new Semaphore(0);
            var waking =
                    Attempt.start(
                            waker,
                            () -> {
                                for (int i = 1; i <= rounds; i++) {
                                    sent.set(i);
                                    selector.wakeup();
                                    taken.acquire();
                                }
                                return rounds;
                            });
            var selecting =
                    Attempt.start(
                            thread,
                            () -> {
                                int last = 0;
                                while (last < rounds) {
                                    selector.select();
                                    if (sent.get() > last) {
                                        last++;
                                        taken.release();
                                    }
                                }
                                return last;
                            });
            assertThat(selecting.get()).isEqualTo(rounds);
            assertThat(waking.get()).isEqualTo(rounds);
        }
    }

    // ---- interrupts ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldEndWhenInterruptedAndKeepTheStatus(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            List<Callable<Integer>> selects =
                    List.of(
                            () -> scene.selector.select(),
                            () -> scene.selector.select(PATIENCE_MILLIS),
                            () -> scene.selector.select(SelectorTest::ignore));
            for (var call : selects) {
                var select = Attempt.start(thread, call).awaitBlocked();
                select.thread().interrupt();
                assertThat(select.get()).isZero();
                assertThat(select.endedInterrupted()).isTrue();
            }
            assertThat(scene.selector.isOpen()).isTrue();
            scene.peerSends(1);
            assertThat(on(thread, () -> scene.selector.select(PATIENCE_MILLIS))).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldNotWaitWhenInterruptedBefore(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            for (int ready = 0; ready <= 1; ready++) {
                var select =
                        Attempt.start(
                                thread,
                                () -> {
                                    Thread.currentThread().interrupt();
                                    return scene.selector.select();
                                });
                assertThat(select.get()).isEqualTo(ready);
                assertThat(select.endedInterrupted()).isTrue();
                scene.peerSends(1);
            }
        }
    }

    // ---- cancel and close ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldLetGoOfAKeyThatIsCancelledDuringASelect(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.key.cancel();
            assertThat(scene.key.isValid()).isFalse();
            assertThatThrownBy(scene.key::interestOps).isInstanceOf(CancelledKeyException.class);
            assertThat(scene.pair.client().isRegistered()).isTrue();
            scene.selector.wakeup();
            assertThat(select.get()).isZero();
            assertThat(scene.pair.client().isRegistered()).isFalse();
            assertThat(scene.selector.keys()).isEmpty();
            scene.pair.client().register(scene.selector, OP_WRITE); // once more
            assertThat(on(thread, () -> scene.selector.select())).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldLetGoOfAChannelThatIsClosedDuringASelect(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.pair.client().close();
            assertThat(scene.pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            scene.selector.wakeup();
            assertThat(select.get()).isZero();
            assertThat(scene.selector.keys()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES_OF_TWO)
    void shouldEndASelectThatIsUnderWayAtClose(
            Provider provider, ThreadKind thread, ThreadKind closer) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            on(
                    closer,
                    () -> {
                        scene.selector.close();
                        return null;
                    });
            assertThat(select.get()).isZero();
            assertThat(scene.key.isValid()).isFalse();
            assertThat(scene.pair.client().isRegistered()).isFalse();
            assertThatThrownBy(scene.selector::select).isInstanceOf(ClosedSelectorException.class);
            assertThatThrownBy(scene.selector::keys).isInstanceOf(ClosedSelectorException.class);
            assertThatThrownBy(() -> scene.pair.client().register(scene.selector, OP_READ))
                    .isInstanceOf(ClosedSelectorException.class);
            assertThat(scene.selector.wakeup()).isSameAs(scene.selector);
        }
    }

    /** A wake-up that comes late must not write to what has taken the eventfd's number. */
    @Test
    void shouldWakeNobodyAfterClose() throws Exception {
        for (int i = 0; i < 200; i++) {
            Selector selector = Provider.OURS.get().openSelector();
            var waking =
                    Attempt.start(
                            ThreadKind.PLATFORM,
                            () -> {
                                while (true) {
                                    selector.wakeup();
                                    selector.selectNow();
                                }
                            });
            selector.close();
            Pipe pipe = Provider.JDK.get().openPipe(); // its two ends have the selector's numbers
            try (var source = pipe.source();
                    var _ = pipe.sink()) {
                selector.wakeup();
                source.configureBlocking(false);
                assertThat(source.read(ByteBuffer.allocate(8))).isZero();
            }
            assertThatThrownBy(waking::get).isInstanceOf(ClosedSelectorException.class);
        }
    }

    // ---- other threads during a select ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldRegisterDuringASelect(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ);
                var other = provider.pair()) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            SelectionKey key =
                    other.client().configureBlocking(false).register(scene.selector, OP_WRITE);
            assertThat(scene.selector.keys()).containsExactlyInAnyOrder(key, scene.key);
            scene.selector.wakeup();
            assertThat(select.get()).isZero();
            assertThat(on(thread, () -> scene.selector.select())).isEqualTo(1);
            assertThat(scene.selector.selectedKeys()).containsExactly(key);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldSeeAChangedInterestInTheNextSelect(Provider provider, ThreadKind thread)
            throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var select = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.key.interestOpsOr(OP_WRITE);
            scene.selector.wakeup();
            assertThat(select.get()).isZero();
            assertThat(on(thread, () -> scene.selector.select())).isEqualTo(1);
            assertThat(scene.key.readyOps()).isEqualTo(OP_WRITE);
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldLetOneThreadSelectAtATime(Provider provider, ThreadKind thread) throws Exception {
        try (Scene scene = Scene.of(provider, OP_READ)) {
            var first = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            var second = Attempt.start(thread, () -> scene.selector.select()).awaitBlocked();
            scene.selector.wakeup();
            assertThat(first.get()).isZero();
            scene.selector.wakeup();
            assertThat(second.get()).isZero();
        }
    }

    // ---- many keys ----

    /** More than are taken from the kernel at a time. */
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldFindAllOfThousandsOfKeys(Provider provider, ThreadKind thread) throws Exception {
        int connections = 2_500;
        var channels = new ArrayList<SocketChannel>();
        try (Selector selector = provider.get().openSelector();
                var listener = provider.listener()) {
            for (int i = 0; i < connections; i++) {
                SocketChannel client = provider.socket();
                channels.add(client);
                client.connect(listener.getLocalAddress());
                client.configureBlocking(false).register(selector, OP_WRITE, i);
                channels.add(listener.accept());
            }
            assertThat(attachments(thread, selector, connections)).hasSize(connections);
            for (SelectionKey key : selector.keys()) { // every third is cancelled, one idle
                switch ((int) key.attachment() % 3) {
                    case 0 -> key.cancel();
                    case 1 -> key.interestOps(OP_READ);
                    default -> {}
                }
            }
            int left = connections / 3;
            Set<Object> found = attachments(thread, selector, left);
            assertThat(found).hasSize(left).allMatch(i -> (int) i % 3 == 2);
            for (int i = 0; i < connections; i += 3) { // in the slots that became free
                channels.get(2 * i).register(selector, OP_WRITE, i);
            }
            int more = left + (connections + 2) / 3;
            assertThat(attachments(thread, selector, more))
                    .hasSize(more)
                    .allMatch(i -> (int) i % 3 != 1);
        } finally {
            for (SocketChannel channel : channels) {
                channel.close();
            }
        }
    }

    private static Set<Object> attachments(ThreadKind thread, Selector selector, int count)
            throws Exception {
        return on(
                thread,
                () -> {
                    var found = new HashSet<>();
                    for (int n = 1; n > 0 && found.size() < count; ) {
                        n = selector.select(PATIENCE_MILLIS);
                        for (SelectionKey key : selector.selectedKeys()) {
                            found.add(key.attachment());
                        }
                        selector.selectedKeys().clear();
                    }
                    return found;
                });
    }

    /** Registers, changes, cancels and closes while others select and wake. */
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldSurviveEverythingAtOnce(Provider provider, ThreadKind thread) throws Exception {
        int rounds = 300;
        try (Selector selector = provider.get().openSelector();
                var steady = provider.pair()) {
            steady.client().configureBlocking(false).register(selector, OP_READ);
            var done = new AtomicBoolean();
            var selecting =
                    Attempt.start(
                            thread,
                            () -> {
                                while (!done.get()) {
                                    selector.select(key -> assertThat(key.channel()).isNotNull());
                                }
                                return null;
                            });
            var changing = new ArrayList<Attempt<Void>>();
            for (int i = 0; i < 3; i++) {
                changing.add(
                        Attempt.start(
                                thread,
                                () -> {
                                    for (int round = 0; round < rounds; round++) {
                                        change(selector, provider, round);
                                    }
                                    return null;
                                }));
            }
            try {
                for (var attempt : changing) {
                    attempt.get();
                }
                steady.server().write(ByteBuffer.allocate(1));
            } finally {
                done.set(true);
                selector.wakeup();
            }
            selecting.get();
            selector.selectNow();
            assertThat(selector.keys()).hasSize(1);
            assertThat(selector.selectNow()).isLessThanOrEqualTo(1);
            assertThat(selector.selectedKeys()).hasSize(1);
        }
    }

    private static void change(Selector selector, Provider provider, int round) throws IOException {
        try (var pair = provider.pair()) {
            pair.client().configureBlocking(false);
            SelectionKey key = pair.client().register(selector, OP_READ);
            selector.wakeup();
            pair.server().write(ByteBuffer.allocate(1));
            key.interestOps(round % 2 == 0 ? OP_WRITE : 0);
            if (round % 3 == 0) {
                key.cancel();
            }
        }
        selector.wakeup();
    }

    // ---- channels of others ----

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldTakeChannelsOfAnyProvider(Provider provider, ThreadKind thread) throws Exception {
        Pipe pipe = Provider.JDK.get().openPipe();
        DatagramChannel datagrams = Provider.JDK.get().openDatagramChannel();
        try (Selector selector = provider.get().openSelector();
                var ours = Provider.OURS.pair();
                var jdks = Provider.JDK.pair();
                SelectableChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink();
                DatagramChannel receiver = datagrams) {
            receiver.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            var waiting = List.of(ours.client(), jdks.client(), source, receiver);
            for (SelectableChannel channel : waiting) {
                channel.configureBlocking(false).register(selector, OP_READ);
            }
            var select = Attempt.start(thread, () -> selector.select()).awaitBlocked();
            ByteBuffer data = ByteBuffer.allocate(1);
            sink.write(data);
            assertThat(select.get()).isEqualTo(1);
            ours.server().write(data.rewind());
            jdks.server().write(data.rewind());
            receiver.send(data.rewind(), receiver.getLocalAddress());
            var found = new HashSet<SelectableChannel>();
            Attempt.eventually("all ready", () -> selectInto(selector, found) == waiting.size());
            assertThat(found).containsExactlyInAnyOrderElementsOf(waiting);
        }
    }

    private static int selectInto(Selector selector, Set<SelectableChannel> found) {
        try {
            selector.selectNow(key -> found.add(key.channel()));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return found.size();
    }

    @Test
    void shouldBeOurs() throws Exception {
        try (Selector selector = Provider.OURS.get().openSelector()) {
            assertThat(selector).isInstanceOf(UringSelector.class);
            assertThat(selector.provider()).isSameAs(Provider.OURS.get());
        }
    }

    // ---- descriptors, failures, memory ----

    private static Set<Integer> ofSelectors() throws IOException {
        var fds = new HashSet<>(Descriptors.open("anon_inode:[eventpoll]"));
        fds.addAll(Descriptors.open("anon_inode:[eventfd]"));
        return fds;
    }

    @Test
    void shouldLeaveNoDescriptorToProgramsOrAfterClose() throws Exception {
        assertThat(Provider.OURS.get()).isNotNull(); // carriers have eventfds, too
        Set<Integer> before = ofSelectors();
        try (Selector selector = Provider.OURS.get().openSelector()) {
            assertThat(selector.isOpen()).isTrue();
            Set<Integer> own = ofSelectors();
            own.removeAll(before);
            assertThat(own).hasSize(2);
            for (int fd : own) {
                assertThat(Descriptors.isClosedOnExec(fd)).isTrue();
            }
        }
        assertThat(ofSelectors()).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({"EPOLL_CREATE, 24", "EVENTFD, 24", "EPOLL_CTL, 12"}) // EMFILE, ENOMEM
    void shouldLeakNothingWhenItCantBeOpened(String call, int errno) throws Exception {
        assertThat(Provider.OURS.get()).isNotNull();
        Set<Integer> before = ofSelectors();
        int number = Seccomp.class.getField(call).getInt(null);
        Running.onPlatform(
                        () -> {
                            Seccomp.refuse(number, errno);
                            assertThatThrownBy(() -> Provider.OURS.get().openSelector())
                                    .isExactlyInstanceOf(IOException.class)
                                    .hasMessage(Errno.message(errno));
                        })
                .result();
        assertThat(ofSelectors()).isEqualTo(before);
    }

    @Test
    void shouldTryAgainWhatTheKernelRefusedToRegister() throws Exception {
        try (Scene scene = Scene.of(Provider.OURS, OP_WRITE);
                var other = Provider.OURS.pair()) {
            Running.onPlatform(
                            () -> {
                                Seccomp.refuseIfEqual(
                                        1,
                                        SocketAbi.EPOLL_CTL_ADD,
                                        Seccomp.EPOLL_CTL,
                                        Errno.ENOMEM);
                                for (int i = 0; i < 2; i++) {
                                    assertThatThrownBy(scene.selector::select)
                                            .isExactlyInstanceOf(IOException.class)
                                            .hasMessage(Errno.message(Errno.ENOMEM));
                                }
                            })
                    .result();
            other.client().configureBlocking(false).register(scene.selector, OP_WRITE);
            assertThat(scene.selector.select()).isEqualTo(2);
        }
    }

    @Test
    void shouldAllocateNothing() throws Exception {
        int rounds = 20_000;
        var memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Scene scene = Scene.of(Provider.OURS, OP_WRITE)) {
            long bytes = Long.MAX_VALUE;
            for (int attempt = 0; attempt < 5; attempt++) { // the first ones warm up
                long before = memory.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < rounds; i++) {
                    scene.key.interestOps(i % 2 == 0 ? OP_WRITE : OP_READ | OP_WRITE);
                    scene.selector.wakeup();
                    scene.selector.select(SelectorTest::ignore, PATIENCE_MILLIS);
                }
                bytes = Math.min(bytes, memory.getCurrentThreadAllocatedBytes() - before);
            }
            assertThat(bytes / rounds).isZero();
        }
    }
}
