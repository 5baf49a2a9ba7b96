package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;
import io.loomuring.testing.Libc;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seeds;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;

/** Sleeping carriers and those who bring them work. */
class WakeupTest {
    private static final int WAKERS = 4;

    static {
        Native.load();
    }

    private Wakeup wakeup;

    @BeforeEach
    void open() {
        wakeup = new Wakeup(Native.lu_eventfd());
    }

    @AfterEach
    void close() {
        wakeup.close();
    }

    /** How often the eventfd was signalled since the last look. */
    private long signals() {
        Shim.signal(wakeup.eventFd()); // else a read of none would fail
        try (Arena arena = Arena.ofConfined()) {
            var count = arena.allocate(Long.BYTES, Long.BYTES);
            Libc.read(wakeup.eventFd(), count.address(), Long.BYTES);
            return count.get(ValueLayout.JAVA_LONG, 0) - 1;
        }
    }

    @Test
    void shouldNotSignalACarrierThatIsAwake() {
        assertThat(wakeup.wake()).isFalse();
        wakeup.prepareToSleep();
        wakeup.awake();
        assertThat(wakeup.wake()).isFalse();
        assertThat(signals()).isZero();
    }

    @Test
    void shouldSignalASleepingCarrierOnce() {
        wakeup.prepareToSleep();
        assertThat(wakeup.wake()).isTrue();
        assertThat(wakeup.wake()).isFalse();
        assertThat(signals()).isOne();
    }

    @Test
    void shouldSignalEachSleep() {
        for (int sleep = 0; sleep < 3; sleep++) {
            wakeup.prepareToSleep();
            assertThat(wakeup.wake()).isTrue();
            wakeup.awake();
            assertThat(signals()).isOne();
        }
    }

    @Test
    void shouldSignalOnceWhoeverWakesAtTheSameTime() throws Exception {
        for (int round = 0; round < 200; round++) {
            wakeup.prepareToSleep();
            var barrier = new CyclicBarrier(WAKERS);
            List<Running<Boolean>> wakers = new ArrayList<>();
            for (int i = 0; i < WAKERS; i++) {
                wakers.add(
                        Running.onPlatform(() -> {
                            barrier.await();
                            return wakeup.wake();
                        }));
            }
            int winners = 0;
            for (Running<Boolean> waker : wakers) {
                winners += waker.result() ? 1 : 0;
            }
            assertThat(winners).isOne();
            assertThat(signals()).isOne();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldLoseNoWakeUp(int wakers) {
        Seeds.withRandom(random ->
                new WakeupRace(SleepProtocol.RIGHT, wakeup, random)
                        .run(wakers, Duration.ofSeconds(2), Duration.ofSeconds(10)));
    }

    @ParameterizedTest
    @EnumSource(value = SleepProtocol.class, names = "RIGHT", mode = EnumSource.Mode.EXCLUDE)
    void shouldBeCaughtWhenBroken(SleepProtocol broken) {
        Seeds.withRandom(random -> {
            var race = new WakeupRace(broken, wakeup, random);
            assertThatThrownBy(() -> race.run(1, Duration.ofSeconds(20), Duration.ofSeconds(1)))
                    .isInstanceOf(WakeupRace.LostWakeupError.class);
        });
    }
}
