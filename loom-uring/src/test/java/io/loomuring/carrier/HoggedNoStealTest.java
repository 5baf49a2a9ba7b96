package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** Two carriers that don't steal: the watchdog alone takes what waits behind a hog. */
class HoggedNoStealTest extends HoggedContract {
    @BeforeAll
    static void install() {
        Installed.install(2, CARRIERS_MAX, false);
    }

    @Override
    int carriers() {
        return 2;
    }
}
