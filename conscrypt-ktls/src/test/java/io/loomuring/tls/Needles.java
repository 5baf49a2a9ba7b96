package io.loomuring.tls;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.function.BiConsumer;

/** Secrets that are looked for in a great many bytes, by name. */
final class Needles {
    private final Map<String, byte[]> wanted;
    private final BitSet starts = new BitSet(); // their first two bytes

    /** At least two bytes each. */
    Needles(Map<String, byte[]> wanted) {
        this.wanted = wanted;
        wanted.values().forEach(bytes -> starts.set(start(bytes, 0)));
    }

    int longest() {
        return wanted.values().stream().mapToInt(bytes -> bytes.length).max().orElse(0);
    }

    /** Tells of each that begins in the first bytes, and is whole among the bytes, and where. */
    void find(byte[] bytes, int begin, int length, BiConsumer<String, Integer> found) {
        for (int at = 0; at < begin && at + 1 < length; at++) {
            if (starts.get(start(bytes, at))) {
                for (Map.Entry<String, byte[]> entry : wanted.entrySet()) {
                    byte[] needle = entry.getValue();
                    int end = at + needle.length;
                    if (end <= length && Arrays.equals(bytes, at, end, needle, 0, needle.length)) {
                        found.accept(entry.getKey(), at);
                    }
                }
            }
        }
    }

    private static int start(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }
}
