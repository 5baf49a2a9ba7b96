package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** Two carriers. */
class CarrierIoTest extends CarrierIoContract {
    @BeforeAll
    static void install() {
        Installed.install(2, true);
    }
}
