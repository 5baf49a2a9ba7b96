package io.loomuring.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.net.IDN;
import java.util.Locale;

/** Names of hosts as people and programs write them. */
final class HostName {
    private HostName() {}

    /**
     * The name in ASCII, an internationalised one encoded (RFC 3490), or null if it can't be a
     * host's.
     */
    static String toAscii(String name) {
        String ascii = name;
        if (!name.chars().allMatch(c -> c < 0x80)) {
            try {
                ascii = IDN.toASCII(name, IDN.ALLOW_UNASSIGNED);
            } catch (IllegalArgumentException e) {
                return null;
            }
        }
        // dnsjava would take these for escapes
        return ascii.indexOf('\\') >= 0 || ascii.isEmpty() ? null : ascii;
    }

    /** The name in this domain, the root if it is empty or "."; null if it is too long or empty. */
    static Name absolute(String name, String domain) {
        String end = domain.startsWith(".") ? domain.substring(1) : domain;
        try {
            return Name.fromString(
                    name.endsWith(".") || end.isEmpty() ? name : name + '.' + end, Name.root);
        } catch (TextParseException e) {
            return null;
        }
    }

    /** As glibc's res_hnok: letters, digits, hyphens not first, and underscores. */
    static boolean isHostName(Name name) {
        for (int i = 0; i < name.labels(); i++) {
            byte[] label = name.getLabel(i); // its length is first
            if (label.length > 1 && label[1] == '-' && i == 0) {
                return false;
            }
            for (int j = 1; j < label.length; j++) {
                int c = label[j];
                boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
                    return false;
                }
            }
        }
        return true;
    }

    /** RFC 6761, section 6.3: never asked of a server. */
    static boolean isLocalhost(String name) {
        String plain = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        String lower = plain.toLowerCase(Locale.ROOT);
        return lower.equals("localhost") || lower.endsWith(".localhost");
    }
}
