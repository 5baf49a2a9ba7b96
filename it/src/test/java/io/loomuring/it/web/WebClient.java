package io.loomuring.it.web;

import java.time.Duration;

/** A client of a server of ours, for many threads at once. */
public interface WebClient {
    /** Sends a request and waits that long for the answer. */
    Answer ask(Ask ask, Duration limit) throws Exception;

    /** Ends its connections and threads. */
    void close() throws Exception;
}
