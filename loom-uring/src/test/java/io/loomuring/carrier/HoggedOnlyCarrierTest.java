package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** The only carrier. */
class HoggedOnlyCarrierTest extends HoggedContract {
    @BeforeAll
    static void install() {
        Installed.install(1, CARRIERS_MAX, true);
    }

    @Override
    int carriers() {
        return 1;
    }
}
