package io.loomuring.it.bench;

/** Which of the JDK's two kinds of blocking connection a server uses. */
enum Api {
    /** {@code SocketChannel}. */
    CHANNELS,
    /** {@code Socket} and its streams. */
    SOCKETS
}
