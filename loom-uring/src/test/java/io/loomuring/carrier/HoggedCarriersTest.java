package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** Two carriers. */
class HoggedCarriersTest extends HoggedContract {
    @BeforeAll
    static void install() {
        Installed.install(2, CARRIERS_MAX, true);
    }

    @Override
    int carriers() {
        return 2;
    }
}
