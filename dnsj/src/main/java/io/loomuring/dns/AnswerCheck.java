package io.loomuring.dns;

import org.xbill.DNS.Rcode;

/**
 * Whether a message answers a query, from its first bytes (RFC 1035, section 4.1; RFC 5452, section
 * 9.1). What fails is somebody else's: it is dropped, and the wait for the answer goes on.
 *
 * <pre>
 *    0  id          2  QR opcode(4) AA TC RD    3  RA Z AD CD rcode(4)
 *    4  questions   6  answers     8  authorities   10  additionals   12  the question
 * </pre>
 */
final class AnswerCheck {
    private AnswerCheck() {}

    private static final int HEADER = 12;
    private static final int QR = 0x80;
    private static final int OPCODE = 0x78;
    private static final int TC = 0x02;
    private static final int RCODE = 0x0f;

    /**
     * Checks.
     *
     * @param exactCase the name must have the letters' case of the query
     */
    static boolean answers(byte[] answer, byte[] query, boolean exactCase) {
        if (answer.length < HEADER
                || answer[0] != query[0]
                || answer[1] != query[1]
                || (answer[2] & QR) == 0
                || (answer[2] & OPCODE) != (query[2] & OPCODE)
                || answer[4] != 0
                || answer[5] > 1) {
            return false;
        }
        if (answer[5] == 0) {
            // who can't read a question can't repeat it
            return rcode(answer) != Rcode.NOERROR && rcode(answer) != Rcode.NXDOMAIN;
        }
        int end = questionEnd(query);
        if (answer.length < end) {
            return false;
        }
        int nameEnd = end - 4; // type and class
        for (int i = HEADER; i < end; i++) {
            boolean same =
                    answer[i] == query[i]
                            || (i < nameEnd && !exactCase && lower(answer[i]) == lower(query[i]));
            if (!same) {
                return false;
            }
        }
        return true;
    }

    static boolean isTruncated(byte[] message) {
        return (message[2] & TC) != 0;
    }

    static int rcode(byte[] message) {
        return message[3] & RCODE;
    }

    /** Our own queries are well-formed, and not compressed. */
    private static int questionEnd(byte[] query) {
        int i = HEADER;
        while (query[i] != 0) {
            i += 1 + query[i];
        }
        return i + 1 + 4;
    }

    /** A label's length is below 64, and so no letter. */
    private static int lower(byte c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
}
