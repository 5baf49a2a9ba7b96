package io.loomuring.dns;

import java.io.Serial;
import java.net.UnknownHostException;

/** A look-up without a result. The message has the name, what happened, and who said so. */
public final class LookupException extends UnknownHostException {
    @Serial private static final long serialVersionUID = 1;

    private final Reason reason;

    LookupException(String name, Reason reason, String source) {
        super(name + ": " + reason.text + (source.isEmpty() ? "" : ", " + source));
        this.reason = reason;
    }

    /** Why there is no result. */
    public Reason reason() {
        return reason;
    }

    /** Why a look-up has no result. */
    public enum Reason {
        /** NXDOMAIN: nothing has this name. */
        NO_SUCH_NAME("no such name (NXDOMAIN)", true),
        /** NODATA: the name exists, without a record of the type asked for. */
        NO_RECORD("the name has no such record (NODATA)", true),
        /** The text is no name of a host. */
        BAD_NAME("not a valid name", true),
        /** Answered with SERVFAIL, FORMERR or NOTIMP, by the last server too. */
        SERVER_FAILURE("the server failed (SERVFAIL)", false),
        /** REFUSED, by the last server too. */
        REFUSED("the server refused to answer (REFUSED)", false),
        /** No server answered in time. */
        TIMEOUT("no answer in time (timeout)", false),
        /** No server could be reached. */
        UNREACHABLE("no server reachable", false),
        /** What came can't be believed, or can't be read. */
        BAD_ANSWER("unusable answer", false);

        private final String text;
        private final boolean conclusive;

        Reason(String text, boolean conclusive) {
            this.text = text;
            this.conclusive = conclusive;
        }

        /** Whether asking again, or another server, is of no use. */
        boolean conclusive() {
            return conclusive;
        }
    }
}
