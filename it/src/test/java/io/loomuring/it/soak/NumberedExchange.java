package io.loomuring.it.soak;

/**
 * One stream of numbered exchanges with a peer. Number n is done when the peer has acknowledged it;
 * then comes n + 1. An attempt that fails leaves its number in doubt: the next attempt finds out
 * whether the peer has it, and never has it taken in twice.
 *
 * <p>Used by one thread at a time.
 */
interface NumberedExchange {
    /**
     * Tries a number, or finds out that it was done before.
     *
     * @param watch of this thread; to be told what it must close where the API has no timeout
     * @throws Violation if what the peer says can't be
     * @throws Exception if it failed, however; the number is in doubt
     */
    void attempt(long number, Guard.Watch watch) throws Exception;

    /** Ends connections and the like; another attempt makes new ones. */
    void close() throws Exception;
}
