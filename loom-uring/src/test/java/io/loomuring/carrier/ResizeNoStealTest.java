package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** Carriers that don't steal: what a retired one has, nobody would take from it. */
class ResizeNoStealTest extends ResizeContract {
    @BeforeAll
    static void install() {
        install(false);
    }
}
