package io.loomuring.it.soak;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What a test breaks on purpose, to see that it is noticed: {@code -Dsabotage=descriptors}. */
final class Sabotage {
    private Sabotage() {}

    private static final long EVERY_NANOS = 200_000_000;
    private static final List<FileInputStream> FORGOTTEN = new ArrayList<>();

    /** Begins what the property asks for: a descriptor that nobody closes, 5 a second. */
    static void begin() {
        if (System.getProperty("sabotage", "").equals("descriptors")) {
            Thread.ofPlatform().daemon().start(Sabotage::leak);
        }
    }

    private static void leak() {
        try {
            while (true) {
                LockSupport.parkNanos(EVERY_NANOS);
                FORGOTTEN.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
