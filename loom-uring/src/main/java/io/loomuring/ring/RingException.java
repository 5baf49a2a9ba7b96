package io.loomuring.ring;

import io.loomuring.abi.Errno;

/** The kernel refused to set a ring up; {@link #errno} says why. */
public final class RingException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int errno;

    RingException(String call, int errno) {
        super(call + ": " + Errno.message(errno));
        this.errno = errno;
    }

    /** The positive error number. */
    public int errno() {
        return errno;
    }

    /** Returns a call's result, unless it is {@code -errno}. */
    public static long check(String call, long rc) throws RingException {
        if (rc < 0) {
            throw new RingException(call, (int) -rc);
        }
        return rc;
    }
}
