package io.loomuring.tls;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** For JFR: who does the records of one direction of a connection, once that is settled. */
@Name("loomuring.TlsOffload")
@Label("TLS Offload")
@Category("loom-uring")
@Description("Whether the kernel seals or opens a connection's TLS records, or why not")
@StackTrace(false)
final class OffloadEvent extends Event {
    @Label("Remote Address")
    String remote;

    @Label("Protocol")
    String protocol;

    @Label("Cipher Suite")
    String suite;

    @Label("Direction")
    String direction;

    @Label("Outcome")
    String outcome;

    @Label("Reason")
    String reason;
}
