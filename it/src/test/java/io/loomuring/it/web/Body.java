package io.loomuring.it.web;

/**
 * What one side sends the other.
 *
 * @param length in bytes
 * @param chunked whether the length is left open to the receiver, rather than told before
 */
public record Body(long length, boolean chunked) {
    public static final Body EMPTY = fixed(0);

    public static Body fixed(long length) {
        return new Body(length, false);
    }

    public static Body chunked(long length) {
        return new Body(length, true);
    }
}
