package io.loomuring.carrier;

import org.junit.jupiter.api.BeforeAll;

/** One carrier: nobody else runs what it does not. */
class SchedulerOneCarrierTest extends SchedulerContract {
    @BeforeAll
    static void install() {
        Installed.install(1, true);
    }

    @Override
    int carriers() {
        return 1;
    }
}
