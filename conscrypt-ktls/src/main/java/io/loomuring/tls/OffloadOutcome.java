package io.loomuring.tls;

import java.util.Locale;

/** Who does the records of one direction of a connection: the kernel, or why not. */
public enum OffloadOutcome {
    /** The kernel, by software. */
    OFFLOADED("the kernel's"),
    /** The network device, for the kernel. */
    OFFLOADED_TO_DEVICE("the network device's"),
    /** The kernel or the device: others went over at the same moment, so that it can't be told. */
    OFFLOADED_SOMEWHERE("the kernel's or the network device's: it doesn't tell which"),
    /** The kernel has no TLS. */
    NO_KERNEL_TLS("this kernel has no TLS: load its module tls (CONFIG_TLS)"),
    /** Not allowed, or loom-uring isn't there. */
    SWITCHED_OFF("loomuring.ktls is off, or loom-uring is not in use"),
    /** The socket beneath is not loom-uring's, or in non-blocking mode. */
    OTHER_SOCKET("the socket beneath is none of loom-uring's"),
    /** The socket beneath goes on after TLS, or some of its bytes were read before. */
    SHARED_SOCKET("the socket beneath is used by others, too"),
    /** No proved keys: the counters of keys say why. */
    NO_KEYS("its keys are not proved"),
    /** The kernel has TLS, but doesn't take this connection. */
    REFUSED("the kernel refused it");

    private final String reason;

    OffloadOutcome(String reason) {
        this.reason = reason;
    }

    /** In words, for people. */
    public String reason() {
        return reason;
    }

    /** Whether the kernel has it, whoever does it there. */
    public boolean isOffloaded() {
        return this == OFFLOADED || this == OFFLOADED_TO_DEVICE || this == OFFLOADED_SOMEWHERE;
    }

    /** As counters name it. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
