package io.loomuring.tls;

import java.io.Serial;

import javax.net.ssl.SSLException;

/** Descriptions of alerts, RFC 8446 6 and RFC 5246 7.2, as far as we say them ourselves. */
final class Alert {
    private Alert() {}

    static final int WARNING = 1;
    static final int FATAL = 2;

    static final int CLOSE_NOTIFY = 0;
    static final int UNEXPECTED_MESSAGE = 10;
    static final int BAD_RECORD_MAC = 20;
    static final int RECORD_OVERFLOW = 22;
    static final int DECODE_ERROR = 50;
    static final int INTERNAL_ERROR = 80;
    static final int USER_CANCELED = 90;
    static final int NO_RENEGOTIATION = 100;

    /** Not one: nothing is to be said. */
    static final int NONE = -1;

    /** JSSE's name, for messages. */
    static String name(int description) {
        return switch (description) {
            case CLOSE_NOTIFY -> "close_notify";
            case UNEXPECTED_MESSAGE -> "unexpected_message";
            case BAD_RECORD_MAC -> "bad_record_mac";
            case RECORD_OVERFLOW -> "record_overflow";
            case 40 -> "handshake_failure";
            case 42 -> "bad_certificate";
            case 43 -> "unsupported_certificate";
            case 44 -> "certificate_revoked";
            case 45 -> "certificate_expired";
            case 46 -> "certificate_unknown";
            case 47 -> "illegal_parameter";
            case 48 -> "unknown_ca";
            case 49 -> "access_denied";
            case DECODE_ERROR -> "decode_error";
            case 51 -> "decrypt_error";
            case 70 -> "protocol_version";
            case 71 -> "insufficient_security";
            case INTERNAL_ERROR -> "internal_error";
            case USER_CANCELED -> "user_canceled";
            case NO_RENEGOTIATION -> "no_renegotiation";
            case 116 -> "certificate_required";
            default -> "alert " + description;
        };
    }

    /** A connection is to end, and the peer to hear why. */
    static final class AlertException extends SSLException {
        @Serial private static final long serialVersionUID = 1L;

        private final int alert;

        AlertException(int alert, String message) {
            super(message);
            this.alert = alert;
        }

        int alert() {
            return alert;
        }
    }
}
