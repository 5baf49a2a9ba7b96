package io.loomuring.tls;

import java.util.Locale;

/** What became of the wish to have the keys of one direction of a connection. */
enum KeyOutcome {
    /** They opened a record of this connection. */
    PROVED("proved"),
    /** The suite is none of the kernel's. */
    OTHER_SUITE("a cipher suite that the kernel hasn't"),
    /** Conscrypt has another shape than the one known. */
    OTHER_CONSCRYPT("this Conscrypt has another shape"),
    /** {@code /proc/self/mem} can't be read. */
    NO_MEMORY("/proc/self/mem is not readable"),
    /** No place was found where BoringSSL keeps the secrets. */
    NO_LAYOUT("no place of the secrets was found in this Conscrypt"),
    /** The memory of this connection is not as the layout says. */
    OTHER_LAYOUT("this connection's memory has another layout"),
    /** What was found does not open the connection's record. */
    UNPROVED("the keys found open no record"),
    /** The connection ended before a record was there to prove the keys by. */
    NO_RECORD("no record came to prove them by");

    private final String reason;

    KeyOutcome(String reason) {
        this.reason = reason;
    }

    /** In words, for people. */
    String reason() {
        return reason;
    }

    /** As counters name it. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
