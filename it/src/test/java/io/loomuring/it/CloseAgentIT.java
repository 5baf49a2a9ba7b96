package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Whatever ends a blocked call of a channel, at whatever moment: the call ends soon, and as
 * documented; no byte is wrong, lost or unaccounted for; nobody else's descriptor is touched.
 */
@ExtendWith(OnRings.class)
class CloseAgentIT {
    /** What is done to a connection while a thread reads or writes. */
    enum Ending {
        CLOSE,
        INTERRUPT,
        SHUTDOWN,
        PEER_CLOSE,
        PEER_RESET
    }

    private static final int ROUNDS = Settings.size(120, 3_000);
    private static final int WORKERS = 4;
    private static final Duration CALL_WAIT = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofMinutes(Settings.size(1, 5));
    private static final int SPIN_NANOS_LOG2_MAX = 19; // half a millisecond
    private static final int CHUNK = 16 * 1024;

    private final SplittableRandom random = Settings.random("close");
    private final Map<String, AtomicInteger> outcomes = new ConcurrentHashMap<>();
    private final FirstFailure failure = new FirstFailure();

    static Stream<Arguments> kindsAndEndings() {
        return Stream.of(ThreadKind.values())
                .flatMap(kind -> Stream.of(Ending.values()).map(end -> arguments(kind, end)));
    }

    // ---- connections ----

    @ParameterizedTest
    @MethodSource("kindsAndEndings")
    void endsABlockedReadAsDocumented(ThreadKind kind, Ending ending) throws Exception {
        forEachFamily((connections, worker) -> {
            try (Connections.Pair pair = connections.open()) {
                read(pair, kind, ending, worker);
                connections.resetOnClose(pair.client());
            }
        });
    }

    private void read(
            Connections.Pair pair, ThreadKind kind, Ending ending, SplittableRandom worker)
            throws IOException {
        BlockedCall call = BlockedCall.reading(pair.server(), worker.split());
        Thread thread = kind.unstarted("reader", call);
        thread.start();
        long sent = 0;
        for (int chunks = worker.nextInt(4); chunks > 0; chunks--) {
            spin(worker);
            sent += send(pair.client(), sent, worker);
        }
        spin(worker);
        end(pair.server(), pair.client(), ending, false, thread, worker);
        if (ending == Ending.CLOSE || ending == Ending.INTERRUPT) {
            sendUnlessClosed(pair.client(), sent, worker);
        }
        Patience.join(List.of(thread), CALL_WAIT);
        count(call);
        assertThat(call.bytes()).isLessThanOrEqualTo(sent + CHUNK);
        switch (ending) {
            case CLOSE, INTERRUPT -> checkClosed(call, ending, pair.server());
            case SHUTDOWN -> {
                assertThat(call.exception()).isNull();
                assertThat(pair.server().read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
            case PEER_CLOSE -> {
                assertThat(call.exception()).isNull();
                assertThat(call.bytes()).isEqualTo(sent);
            }
            case PEER_RESET -> {
                if (call.exception() == null) { // a Unix domain socket
                    assertThat(call.bytes()).isEqualTo(sent);
                } else {
                    assertThat(call.exception())
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("reset");
                }
            }
        }
        assertThat(call.interruptStatus()).isEqualTo(ending == Ending.INTERRUPT);
    }

    @ParameterizedTest
    @MethodSource("kindsAndEndings")
    void endsABlockedWriteAsDocumented(ThreadKind kind, Ending ending) throws Exception {
        forEachFamily((connections, worker) -> {
            try (Connections.Pair pair = connections.open()) {
                write(pair, kind, ending, worker);
                connections.resetOnClose(pair.client());
            }
        });
    }

    private void write(
            Connections.Pair pair, ThreadKind kind, Ending ending, SplittableRandom worker)
            throws IOException {
        BlockedCall call = BlockedCall.writing(pair.server(), worker.split());
        Thread thread = kind.unstarted("writer", call);
        thread.start();
        long received = 0;
        for (int chunks = worker.nextInt(100); chunks > 0; chunks--) {
            received += receive(pair.client(), received);
        }
        spin(worker);
        end(pair.server(), pair.client(), ending, true, thread, worker);
        boolean peerEnded = ending == Ending.PEER_CLOSE || ending == Ending.PEER_RESET;
        if (!peerEnded) {
            int n;
            do {
                n = receive(pair.client(), received);
                received += Math.max(0, n);
            } while (n > 0);
        }
        Patience.join(List.of(thread), CALL_WAIT);
        count(call);
        if (peerEnded) {
            assertThat(call.exception())
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(ClosedChannelException.class);
        } else {
            assertThat(received).as("received of what was written").isEqualTo(call.bytes());
            if (ending == Ending.SHUTDOWN) {
                assertThat(call.exception()).isInstanceOf(ClosedChannelException.class);
                assertThat(pair.server().isOpen()).isTrue();
            } else {
                checkClosed(call, ending, pair.server());
            }
        }
        assertThat(call.interruptStatus()).isEqualTo(ending == Ending.INTERRUPT);
    }

    private static void checkClosed(BlockedCall call, Ending ending, SocketChannel channel) {
        checkClosed(call.exception(), ending == Ending.INTERRUPT);
        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
                .isInstanceOf(ClosedChannelException.class);
    }

    private static void checkClosed(Throwable exception, boolean interrupted) {
        if (interrupted) {
            assertThat(exception).isInstanceOf(ClosedByInterruptException.class);
        } else {
            assertThat(exception)
                    .isInstanceOf(ClosedChannelException.class)
                    .isNotInstanceOf(ClosedByInterruptException.class);
        }
    }

    private static void end(
            SocketChannel channel,
            SocketChannel peer,
            Ending ending,
            boolean writes,
            Thread thread,
            SplittableRandom worker) {
        act(
                worker,
                () -> {
                    switch (ending) {
                        case CLOSE -> channel.close();
                        case INTERRUPT -> thread.interrupt();
                        case SHUTDOWN -> {
                            if (writes) {
                                channel.shutdownOutput();
                            } else {
                                channel.shutdownInput();
                            }
                        }
                        case PEER_CLOSE -> peer.close();
                        case PEER_RESET -> {
                            if (peer.getRemoteAddress() instanceof InetSocketAddress) {
                                peer.setOption(StandardSocketOptions.SO_LINGER, 0);
                            }
                            peer.close();
                        }
                    }
                });
    }

    private static int send(SocketChannel channel, long position, SplittableRandom worker)
            throws IOException {
        ByteBuffer data = ByteBuffer.allocate(1 + worker.nextInt(CHUNK));
        NumberedStream.fill(MemorySegment.ofBuffer(data), position);
        while (data.hasRemaining()) {
            channel.write(data);
        }
        return data.position();
    }

    private static void sendUnlessClosed(
            SocketChannel channel, long position, SplittableRandom worker) {
        try {
            send(channel, position, worker);
        } catch (IOException e) {
            // the other side is closed, as is meant
        }
    }

    private static int receive(SocketChannel channel, long position) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(CHUNK);
        int n = channel.read(data);
        long at = NumberedStream.mismatch(MemorySegment.ofBuffer(data.flip()), position);
        assertThat(at).as("where the stream is wrong").isEqualTo(-1);
        return n;
    }

    // ---- listening channels, and channels that connect ----

    @ParameterizedTest
    @EnumSource
    void endsABlockedAcceptAsDocumentedWhenClosed(ThreadKind kind) throws Exception {
        forEachFamily((connections, worker) -> accept(connections, kind, false, worker));
    }

    @ParameterizedTest
    @EnumSource
    void endsABlockedAcceptAsDocumentedWhenInterrupted(ThreadKind kind) throws Exception {
        forEachFamily((connections, worker) -> accept(connections, kind, true, worker));
    }

    private void accept(
            Connections family, ThreadKind kind, boolean interrupt, SplittableRandom worker)
            throws IOException {
        try (var connections = family.another()) {
            ServerSocketChannel listener = connections.listener();
            var accepted = new ArrayList<SocketChannel>();
            var exception = new AtomicReference<Throwable>();
            Thread thread =
                    kind.unstarted(
                            "acceptor",
                            () -> {
                                try {
                                    while (true) {
                                        accepted.add(listener.accept());
                                    }
                                } catch (Throwable e) {
                                    exception.set(e);
                                }
                            });
            thread.start();
            var clients = new ArrayList<SocketChannel>();
            for (int i = worker.nextInt(3); i > 0; i--) {
                spin(worker);
                clients.add(connections.connect());
            }
            spin(worker);
            act(
                    worker,
                    () -> {
                        if (interrupt) {
                            thread.interrupt();
                        } else {
                            listener.close();
                        }
                    });
            Patience.join(List.of(thread), CALL_WAIT);
            count(exception.get());
            checkClosed(exception.get(), interrupt);
            assertThat(listener.isOpen()).isFalse();
            assertThat(accepted).hasSizeLessThanOrEqualTo(clients.size());
            for (SocketChannel channel : accepted) {
                connections.resetOnClose(channel);
                channel.close();
            }
            for (SocketChannel channel : clients) {
                channel.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void endsABlockedConnectAsDocumentedWhenClosed(ThreadKind kind) throws Exception {
        connect(kind, false);
    }

    @ParameterizedTest
    @EnumSource
    void endsABlockedConnectAsDocumentedWhenInterrupted(ThreadKind kind) throws Exception {
        connect(kind, true);
    }

    /** To a listener that answers no more, or to one that does. */
    private void connect(ThreadKind kind, boolean interrupt) throws Exception {
        try (var full = new Connections(StandardProtocolFamily.INET, 1);
                var first = full.connect();
                var second = full.connect();
                var answering = new Connections(StandardProtocolFamily.INET)) {
            inWorkers(worker -> {
                boolean answered = worker.nextBoolean();
                Connections target = answered ? answering : full;
                try (var channel = SocketChannel.open()) {
                    connect(channel, target, kind, interrupt, answered, worker);
                    target.resetOnClose(channel);
                }
            });
            assertThat(first.isConnected() && second.isConnected()).isTrue();
        }
    }

    private void connect(
            SocketChannel channel,
            Connections target,
            ThreadKind kind,
            boolean interrupt,
            boolean answered,
            SplittableRandom worker)
            throws IOException {
        var exception = new AtomicReference<Throwable>();
        var address = target.address();
        Thread thread =
                kind.unstarted(
                        "connector",
                        () -> {
                            try {
                                channel.connect(address);
                            } catch (Throwable e) {
                                exception.set(e);
                            }
                        });
        thread.start();
        spin(worker);
        act(
                worker,
                () -> {
                    if (interrupt) {
                        thread.interrupt();
                    } else {
                        channel.close();
                    }
                });
        Patience.join(List.of(thread), CALL_WAIT);
        count(exception.get());
        if (exception.get() != null) {
            checkClosed(exception.get(), interrupt);
            assertThat(channel.isOpen()).isFalse();
        } else {
            assertThat(answered).isTrue();
        }
    }

    // ---- rounds ----

    private interface Round {
        void run(SplittableRandom worker) throws Exception;
    }

    private interface RoundOnConnections {
        void run(Connections connections, SplittableRandom worker) throws Exception;
    }

    private void forEachFamily(RoundOnConnections round) throws Exception {
        inWorkers(worker -> {
            StandardProtocolFamily[] families = StandardProtocolFamily.values();
            var family = families[worker.nextInt(families.length)];
            try (var connections = new Connections(family)) {
                round.run(connections, worker);
            }
        });
    }

    private void inWorkers(Round round) throws Exception {
        var left = new AtomicInteger(ROUNDS);
        var workers = new ArrayList<Thread>();
        Bystander bystander = Bystander.start();
        try {
            for (int i = 0; i < WORKERS; i++) {
                SplittableRandom worker = random.split();
                workers.add(
                        ThreadKind.PLATFORM.unstarted(
                                "worker " + i,
                                failure.guard("worker", () -> work(left, round, worker))));
            }
            workers.forEach(Thread::start);
            Patience.join(workers, LIMIT);
        } finally {
            bystander.stop();
        }
        System.out.println("  " + new TreeMap<>(outcomes));
        failure.rethrow();
    }

    private void work(AtomicInteger left, Round round, SplittableRandom worker) throws Exception {
        while (left.getAndDecrement() > 0 && !failure.isThere()) {
            round.run(worker);
        }
    }

    /** Acts on this thread or on a virtual one. */
    private static void act(SplittableRandom worker, FirstFailure.Task action) {
        var thrown = new FirstFailure();
        Runnable task = thrown.guard("action", action);
        if (worker.nextBoolean()) {
            task.run();
        } else {
            Patience.join(List.of(Thread.ofVirtual().start(task)), CALL_WAIT);
        }
        thrown.rethrow();
    }

    private static void spin(SplittableRandom worker) {
        long nanos = worker.nextInt(1 << worker.nextInt(SPIN_NANOS_LOG2_MAX + 1));
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() - until < 0) {
            Thread.onSpinWait();
        }
    }

    private void count(BlockedCall call) {
        count(call.exception());
    }

    private void count(Throwable exception) {
        String outcome =
                exception == null
                        ? "none"
                        : exception.getClass().getSimpleName()
                                + (exception.getMessage() == null
                                        ? ""
                                        : ": " + exception.getMessage());
        outcomes.computeIfAbsent(outcome, key -> new AtomicInteger()).incrementAndGet();
    }
}
