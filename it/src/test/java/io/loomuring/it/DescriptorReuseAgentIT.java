package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A channel is closed while its read is on the way to the kernel, which will look its descriptor up
 * by number: by then that number must not be somebody else's.
 */
@ExtendWith(OnRings.class)
class DescriptorReuseAgentIT {
    private static final int ROUNDS = Settings.size(100, 2_000);
    private static final int NEW_PAIRS = 4; // descriptors enough to take any number that is free
    private static final long TOKEN = 0x5EEDL;
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @ParameterizedTest
    @EnumSource(names = "PLATFORM", mode = EnumSource.Mode.EXCLUDE) // has no read under way
    void aReadUnderWayNeverTakesWhatHasReusedTheNumber(ThreadKind kind) throws Exception {
        try (var connections = new Connections(StandardProtocolFamily.UNIX)) {
            for (int i = 0; i < ROUNDS; i++) {
                try (Connections.Pair pair = connections.open()) {
                    closeAndReuse(kind, pair.server());
                }
            }
        }
    }

    private static void closeAndReuse(ThreadKind kind, SocketChannel channel) throws Exception {
        var hogging = new CountDownLatch(RingSlots.carrierCount());
        var reused = new CountDownLatch(1);
        var outcome = new AtomicReference<Object>();
        Runnable read = () -> outcome.set(read(channel));
        Thread reader;
        try {
            if (kind == ThreadKind.VIRTUAL) {
                reader = kind.unstarted("reader", () -> readBeforeHog(hogging, reused, read));
                reader.start();
                await(hogging);
            } else {
                startHogs(hogging, reused);
                await(hogging);
                reader = kind.unstarted("reader", read);
                reader.start();
                Thread waiter = reader;
                Patience.await(
                        () -> "the reader does not wait",
                        LIMIT,
                        () -> waiter.getState() == Thread.State.WAITING);
            }
            channel.close();
            reuseNumbers(reused, reader);
        } finally {
            reused.countDown();
        }
        assertThat(outcome.get()).isInstanceOf(ClosedChannelException.class);
    }

    /** The read is queued on a carrier that then runs something else before it submits. */
    private static void readBeforeHog(
            CountDownLatch hogging, CountDownLatch reused, Runnable read) {
        startHogs(hogging, reused);
        while (hogging.getCount() > 1) { // the last one has to wait until this thread parks
            Thread.onSpinWait();
        }
        read.run();
    }

    private static void startHogs(CountDownLatch hogging, CountDownLatch reused) {
        for (int i = 0; i < RingSlots.carrierCount(); i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        hogging.countDown();
                        while (reused.getCount() > 0) {
                            Thread.onSpinWait();
                        }
                    });
        }
    }

    private static Object read(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocateDirect(Long.BYTES));
        } catch (Exception e) {
            return e;
        }
    }

    /** Opens descriptors with something to read in them, and looks after what became of it. */
    private static void reuseNumbers(CountDownLatch reused, Thread reader) {
        var pairs = new int[NEW_PAIRS][];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment token = arena.allocateFrom(ValueLayout.JAVA_LONG, TOKEN);
            for (int i = 0; i < NEW_PAIRS; i++) {
                pairs[i] = Libc.unixPair();
                assertThat(Libc.send(pairs[i][0], token, Libc.MSG_DONTWAIT)).isEqualTo(Long.BYTES);
                assertThat(Libc.send(pairs[i][1], token, Libc.MSG_DONTWAIT)).isEqualTo(Long.BYTES);
            }
            reused.countDown();
            Patience.join(List.of(reader), LIMIT);
            for (int[] pair : pairs) {
                for (int fd : pair) {
                    token.set(ValueLayout.JAVA_LONG, 0, 0);
                    assertThat(Libc.recv(fd, token, Libc.MSG_DONTWAIT))
                            .as("bytes left in a descriptor that has reused a number")
                            .isEqualTo(Long.BYTES);
                    assertThat(token.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(TOKEN);
                    Libc.close(fd);
                }
            }
        }
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
}
