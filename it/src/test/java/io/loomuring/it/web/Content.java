package io.loomuring.it.web;

import java.io.InputStream;
import java.util.Objects;
import java.util.SplittableRandom;

/** The bytes of a body: what they are follows from where they stand, and so does their tally. */
public final class Content extends InputStream {
    /** Of a prime length: a piece that is lost or comes twice shifts what follows. */
    private static final byte[] BLOCK = new byte[65_521];

    static {
        new SplittableRandom(BLOCK.length).nextBytes(BLOCK);
    }

    private final long length;
    private long position;

    public Content(long length) {
        this.length = length;
    }

    /** What a {@link Tally} of all of it says. */
    public static String tally(long length) {
        var tally = new Tally();
        for (long left = length; left > 0; left -= BLOCK.length) {
            tally.add(BLOCK, 0, (int) Math.min(left, BLOCK.length));
        }
        return tally.toString();
    }

    @Override
    public int read() {
        return position == length ? -1 : BLOCK[(int) (position++ % BLOCK.length)] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        if (position == length && count > 0) {
            return -1;
        }
        int start = (int) (position % BLOCK.length);
        int n = (int) Math.min(Math.min(count, BLOCK.length - start), length - position);
        System.arraycopy(BLOCK, start, bytes, offset, n);
        position += n;
        return n;
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, length - position);
    }
}
