package io.loomuring.it.web;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** How many bytes have arrived, and their checksum. */
final class Tally {
    private static final int READ_BYTES = 16 * 1024;

    private final CRC32C checksum = new CRC32C();
    private long length;

    void add(byte[] bytes, int offset, int count) {
        checksum.update(bytes, offset, count);
        length += count;
    }

    void add(ByteBuffer bytes) {
        length += bytes.remaining();
        checksum.update(bytes);
    }

    /** Reads to the end. */
    Tally add(InputStream in) throws IOException {
        var buffer = new byte[READ_BYTES];
        int n;
        while ((n = in.read(buffer)) >= 0) {
            add(buffer, 0, n);
        }
        return this;
    }

    @Override
    public String toString() {
        return String.format("%d bytes/%08x", length, checksum.getValue());
    }
}
