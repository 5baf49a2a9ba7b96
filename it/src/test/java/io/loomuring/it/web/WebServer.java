package io.loomuring.it.web;

import java.net.SocketAddress;
import java.time.Duration;

/** A server that serves a {@link Site}. */
public interface WebServer {
    /** Where it listens. */
    SocketAddress address();

    /** Accepts no more, waits that long for the requests under way to end, and ends itself. */
    void stop(Duration patience) throws Exception;
}
