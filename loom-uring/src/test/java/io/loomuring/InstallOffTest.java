package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Switched off. */
class InstallOffTest {
    @Test
    void shouldDoNothing() {
        System.setProperty("loomuring.mode", "off");
        assertThat(LoomUring.install()).isFalse();
        assertThat(Refused.carriers()).isZero();
        assertThat(System.getProperty("java.nio.channels.spi.SelectorProvider")).isNull();
    }
}
