package io.loomuring.ring;

import io.loomuring.abi.Native;
import io.loomuring.observe.Counters;

import org.junit.jupiter.api.Assumptions;

/** Kernel threads that poll for submissions, where the kernel has them. */
public final class SqPolling {
    private SqPolling() {}

    /** Skips the calling test where the kernel refuses a ring such a thread. */
    public static void assumeAllowed() {
        Native.load();
        try {
            new Ring(8, 16, 0, new SqThread(1), new Counters(), _ -> {}).close();
        } catch (RingException e) {
            Assumptions.abort("no SQPOLL here: " + e.getMessage());
        }
    }
}
