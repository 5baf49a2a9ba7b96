package io.loomuring.stress;

/** What the system's scheduler may do between any two steps, but much shorter. */
public final class Pause {
    private Pause() {}

    private static final int SPINS = 100;

    /** Where it lets a wrong order of steps show. */
    public static void here() {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
        }
    }
}
