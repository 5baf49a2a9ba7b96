package io.loomuring.dns;

/** The few virtual threads that dnsj has of its own. */
final class Threads {
    private Threads() {}

    static void start(String name, Runnable task) {
        Thread.ofVirtual().name(name).inheritInheritableThreadLocals(false).start(task);
    }
}
