package io.loomuring.it;

import java.util.SplittableRandom;

/** What a run of the tests can be told by properties, {@code mvn ... -Dit.full -Dit.seed=N}. */
public final class Settings {
    private Settings() {}

    private static final String FULL = "it.full";
    private static final String SEED = "it.seed";

    /**
     * Whether tests run at the size that acceptance asks for, rather than at that of each build.
     */
    static final boolean FULL_SIZE =
            System.getProperty(FULL) != null && !System.getProperty(FULL).equals("false");

    /** One of two sizes. */
    public static int size(int quick, int full) {
        return FULL_SIZE ? full : quick;
    }

    /** A generator whose seed is printed, and may be given. */
    public static SplittableRandom random(String user) {
        long seed = Long.getLong(SEED, System.nanoTime());
        System.out.println(user + ": -D" + SEED + "=" + seed);
        return new SplittableRandom(seed);
    }
}
