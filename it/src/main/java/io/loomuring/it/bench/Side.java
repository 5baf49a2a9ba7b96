package io.loomuring.it.bench;

/** One of the servers that are compared. */
enum Side {
    STOCK("stock JDK"),
    /** The same again: what it differs from the first by is noise. */
    STOCK2("stock JDK, again"),
    OURS("loom-uring"),
    /** The kernel's thread submits. */
    SQPOLL("loom-uring, SQPOLL"),
    NETTY("Netty io_uring"),
    C("C io_uring");

    private final String label;

    Side(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    /** Whether it runs on loom-uring's rings, which is proved by their number of operations. */
    boolean isOnRings() {
        return this == OURS || this == SQPOLL;
    }

    /** Whether it runs one of the blocking programs. */
    boolean isBlocking() {
        return this != NETTY && this != C;
    }
}
