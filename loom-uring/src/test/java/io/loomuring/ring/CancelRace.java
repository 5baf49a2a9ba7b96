package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * One thread receives by one operation, over and over; others cancel it all the time. Some receives
 * find data, the others end by a cancel alone.
 */
final class CancelRace {
    private static final int CANCELLERS = 2;
    private static final int RECEIVES = 30_000;
    private static final int PAUSE_MAX = 2_000; // spins between two cancels

    private final RingFixture fixture;
    private final Random random;
    private final Op op = new Op(_ -> {});
    private final Set<Long> claims = new HashSet<>(); // those for which a cancel was requested
    private volatile boolean done;
    private int received;
    private int cancelled;

    CancelRace(RingFixture fixture, Random random) {
        this.fixture = fixture;
        this.random = random;
    }

    void run() throws Exception {
        List<Running<Void>> cancellers = new ArrayList<>();
        for (int i = 0; i < CANCELLERS; i++) {
            long seed = random.nextLong();
            cancellers.add(Running.onPlatform(() -> cancelUntilDone(new Random(seed))));
        }
        try (SocketPair pair = SocketPair.open();
                Arena arena = Arena.ofConfined()) {
            long memory = arena.allocate(Long.BYTES, Long.BYTES).address();
            for (int i = 0; i < RECEIVES; i++) {
                receive(pair, memory, i);
            }
        } finally {
            done = true;
        }
        Running.allEnd(cancellers);
        assertThat(received).as("receives that got data").isPositive();
        assertThat(cancelled).as("receives that were cancelled").isPositive();
        assertThat(claims).as("cancels of operations in flight").isNotEmpty();
        assertThat(fixture.counters.staleCompletions).isZero();
    }

    private void cancelUntilDone(Random pauses) {
        while (!done) {
            op.cancel(Op.CLOSE + pauses.nextInt(Op.DEADLINE));
            for (int i = pauses.nextInt(PAUSE_MAX); i > 0; i--) {
                Thread.onSpinWait();
            }
        }
    }

    private void receive(SocketPair pair, long memory, long number) {
        RingFixture.claim(op);
        Memory.putLong(memory, -1);
        op.prepRecv(pair.fd(), memory, Long.BYTES, 0);
        boolean withData = random.nextBoolean();
        boolean dataFirst = random.nextBoolean();
        if (withData && dataFirst) {
            pair.peerSendsLong(number);
        }
        if (fixture.ring.submit(op)) {
            if (withData && !dataFirst) {
                pair.peerSendsLong(number);
            }
            awaitEnd();
        } else if (withData && !dataFirst) {
            pair.peerSendsLong(number);
        }
        if (op.result() == -Errno.ECANCELED) {
            assertThat(op.cancelReason()).isBetween(Op.CLOSE, Op.DEADLINE);
            assertThat(pair.drain()).as("bytes left").isEqualTo(withData ? Long.BYTES : 0);
            cancelled++;
        } else {
            assertThat(op.result()).isEqualTo(Long.BYTES);
            assertThat(Memory.getLong(memory)).isEqualTo(number);
            received++;
        }
        op.release();
    }

    private void awaitEnd() {
        while (op.inFlight()) {
            for (Op.Cancel request; (request = fixture.cancels.poll()) != null; ) {
                assertThat(claims.add(request.claim())).as("one request a claim").isTrue();
                fixture.ring.cancel(request);
            }
            if (fixture.ring.enter(RingFixture.LONG_NANOS) == 0 && op.inFlight()) {
                throw new AssertionError("neither data nor cancel: " + op);
            }
        }
    }
}
