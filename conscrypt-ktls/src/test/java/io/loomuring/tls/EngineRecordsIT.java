package io.loomuring.tls;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The same of a Conscrypt of another shape, whose engine does the records, too. */
class EngineRecordsIT extends ProviderIT {
    @BeforeAll
    static void leaveRecordsToTheEngine() {
        NativeRecords.switchOff(true);
    }

    @AfterAll
    static void restore() {
        NativeRecords.switchOff(false);
    }
}
