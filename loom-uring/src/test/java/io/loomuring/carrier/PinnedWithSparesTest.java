package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Pin;
import io.loomuring.testing.Running;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.Arena;
import java.util.concurrent.SynchronousQueue;

/** One carrier with spares; a pinned thread on it waits for what only virtual threads will do. */
class PinnedWithSparesTest {
    private static final int MESSAGES = 50;

    @BeforeAll
    static void install() {
        Installed.install(1, 4, true);
    }

    private static Op claimed() {
        var op = new Op(_ -> {});
        assertThat(op.tryClaim()).isTrue();
        return op;
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeHandedWhatAVirtualThreadHas(Pin pin) throws Exception {
        var queue = new SynchronousQueue<Integer>();
        Running<Integer> taker = Running.onVirtual(() -> pin.call(queue::take));
        Running<Void> giver = Running.onVirtual(() -> queue.put(42));
        assertThat(taker.result()).isEqualTo(42);
        giver.result();
    }

    @ParameterizedTest
    @EnumSource
    void shouldExchangeMessagesWithAnotherPinnedThread(Pin pin) throws Exception {
        SocketPair pair = SocketPair.open();
        long foreign = LoomUring.counters().foreignOperations;
        try (Arena arena = Arena.ofShared()) {
            Running<Void> first = Running.onVirtual(() -> exchange(pin, arena, pair.fd(), true));
            Running<Void> second =
                    Running.onVirtual(() -> exchange(pin, arena, pair.peer(), false));
            first.result();
            second.result();
        } finally {
            pair.close();
        }
        Await.until(
                "most operations went to a carrier that gets on",
                () -> LoomUring.counters().foreignOperations - foreign >= 2 * MESSAGES);
    }

    private static void exchange(Pin pin, Arena arena, int fd, boolean begins) throws Exception {
        long memory = arena.allocate(1).address();
        Op op = claimed();
        pin.call(() -> {
            for (int i = 0; i < MESSAGES; i++) {
                if (begins || i > 0) {
                    assertThat(CarrierIo.send(op, fd, memory, 1, 0)).isOne();
                }
                assertThat(CarrierIo.recv(op, fd, memory, 1, 0, 0)).isOne();
            }
            if (!begins) {
                assertThat(CarrierIo.send(op, fd, memory, 1, 0)).isOne();
            }
            return null;
        });
    }
}
