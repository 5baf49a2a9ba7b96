package io.loomuring.it;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * An endless sequence of bytes in which each position can be told from its neighbours: a receiver
 * that compares sees every byte that is lost, doubled, torn or of another stream.
 */
public final class NumberedStream {
    private NumberedStream() {}

    private static final int PERIOD = 65_521; // a prime: no power of two divides it
    private static final byte[] BYTES = new byte[2 * PERIOD];

    static {
        var period = new byte[PERIOD];
        new SplittableRandom(PERIOD).nextBytes(period);
        System.arraycopy(period, 0, BYTES, 0, PERIOD);
        System.arraycopy(period, 0, BYTES, PERIOD, PERIOD);
    }

    private static final MemorySegment SEQUENCE = MemorySegment.ofArray(BYTES);

    /** Fills memory with the bytes from a position on. */
    public static void fill(MemorySegment target, long position) {
        long done = 0;
        while (done < target.byteSize()) {
            long chunk = Math.min(PERIOD, target.byteSize() - done);
            MemorySegment.copy(SEQUENCE, (position + done) % PERIOD, target, done, chunk);
            done += chunk;
        }
    }

    /** Where memory first differs from the bytes from a position on, or -1. */
    public static long mismatch(MemorySegment data, long position) {
        long done = 0;
        while (done < data.byteSize()) {
            long chunk = Math.min(PERIOD, data.byteSize() - done);
            long from = (position + done) % PERIOD;
            long at =
                    MemorySegment.mismatch(data, done, done + chunk, SEQUENCE, from, from + chunk);
            if (at >= 0) {
                return done + at;
            }
            done += chunk;
        }
        return -1;
    }
}
