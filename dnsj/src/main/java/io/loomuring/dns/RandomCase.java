package io.loomuring.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.security.SecureRandom;

/** draft-vixie-dnsext-dns0x20: bits that a forger has to guess besides port and id. */
final class RandomCase {
    private RandomCase() {}

    private static final SecureRandom RANDOM = new SecureRandom();

    static Name of(Name name) {
        char[] text = name.toString().toCharArray();
        byte[] bits = new byte[text.length / 8 + 1];
        RANDOM.nextBytes(bits);
        for (int i = 0; i < text.length; i++) {
            if (text[i] < 0x80 && Character.isLetter(text[i])) {
                boolean upper = (bits[i / 8] >> (i % 8) & 1) != 0;
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
