package io.loomuring.dns;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Numbers that nobody can guess, drawn many at a time: {@link SecureRandom} takes a monitor, and a
 * thousand virtual threads that ask at once would queue up for it.
 */
final class RandomBits {
    private RandomBits() {}

    private static final int BATCH = 1024;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static volatile Batch batch = new Batch();

    private static final class Batch {
        final byte[] bytes = new byte[2 * BATCH];
        final AtomicInteger next = new AtomicInteger();

        Batch() {
            RANDOM.nextBytes(bytes);
        }
    }

    /** 16 bits, which are given out once. */
    static int next16() {
        while (true) {
            Batch current = batch;
            int i = current.next.getAndIncrement();
            if (i < BATCH) {
                return (current.bytes[2 * i] & 0xff) << 8 | (current.bytes[2 * i + 1] & 0xff);
            }
            if (current == batch) {
                batch = new Batch(); // of several at a time one is used
            }
        }
    }
}
