package io.loomuring.dns;

import static io.loomuring.dns.Window.AT_ONCE;
import static io.loomuring.dns.Window.KEPT_NANOS;
import static io.loomuring.dns.Window.TURN_NANOS;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WindowTest {
    private long now = Long.MAX_VALUE - TURN_NANOS; // it wraps
    private final Window window = new Window(now);

    private void enterAtOnce(int callers) {
        for (int i = 0; i < callers; i++) {
            assertThat(window.enter(now)).isZero();
        }
    }

    private void leave(int callers) {
        for (int i = 0; i < callers; i++) {
            window.leave();
        }
    }

    @Test
    void shouldLetSomeAskAtOnceAndOthersInTurn() {
        enterAtOnce(AT_ONCE);
        assertThat(window.enter(now)).isEqualTo(TURN_NANOS);
        assertThat(window.enter(now)).isEqualTo(2 * TURN_NANOS);
        now += TURN_NANOS / 2;
        assertThat(window.enter(now)).isEqualTo(3 * TURN_NANOS - TURN_NANOS / 2);
        now += 10 * TURN_NANOS;
        assertThat(window.enter(now)).isEqualTo(TURN_NANOS);
    }

    @Test
    void shouldKeepAWindowThatIsUsed() {
        enterAtOnce(AT_ONCE);
        for (int i = 1; i <= AT_ONCE; i++) {
            assertThat(window.enter(now)).isEqualTo(i * TURN_NANOS);
        }
        for (int i = 0; i < 3; i++) {
            leave(2 * AT_ONCE);
            now += KEPT_NANOS;
            enterAtOnce(2 * AT_ONCE);
        }
        assertThat(window.enter(now)).isPositive();
    }

    @Test
    void shouldForgetAWindowThatWasNotUsed() {
        enterAtOnce(AT_ONCE);
        assertThat(window.enter(now)).isPositive();
        leave(AT_ONCE + 1);
        now += KEPT_NANOS / 2 + 1;
        enterAtOnce(AT_ONCE); // which is no use of it
        now += KEPT_NANOS / 2 + 1;
        assertThat(window.enter(now)).isEqualTo(TURN_NANOS);
    }
}
