package io.loomuring.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** draft-vixie-dnsext-dns0x20: bits that a forger has to guess besides port and id. */
final class RandomCase {
    private RandomCase() {}

    static Name of(Name name) {
        char[] text = name.toString().toCharArray();
        int bits = 0;
        for (int i = 0; i < text.length; i++) {
            bits = i % Short.SIZE == 0 ? RandomBits.next16() : bits >> 1;
            if (text[i] < 0x80 && Character.isLetter(text[i])) {
                boolean upper = (bits & 1) != 0;
                text[i] = upper ? Character.toUpperCase(text[i]) : Character.toLowerCase(text[i]);
            }
        }
        try {
            return Name.fromString(new String(text));
        } catch (TextParseException e) {
            throw new IllegalStateException(e);
        }
    }
}
