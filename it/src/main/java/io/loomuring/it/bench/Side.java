package io.loomuring.it.bench;

/** One of the servers that are compared. */
enum Side {
    STOCK("stock JDK"),
    /** The same again: what it differs from the first by is noise. */
    STOCK2("stock JDK, again"),
    OURS("loom-uring"),
    NETTY("Netty io_uring"),
    C("C io_uring");

    private final String label;

    Side(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }
}
