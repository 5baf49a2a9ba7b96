package io.loomuring.it.soak;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a peer has taken in, by stream: the last number, and a digest of all up to it. It outlives
 * the peer, since each entry is one word of memory that a file is mapped to.
 *
 * <p>A number is in it before it is acknowledged. Who has no acknowledgement asks, by a new hello:
 * from then on nothing that is still under way on the stream's old connection counts.
 */
final class Ledger {
    private static final int STREAMS_MAX = 1024;
    private static final int REQUESTS = STREAMS_MAX; // the slot after those of the streams
    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    /** One stream's. */
    record Entry(int last, int digest) {
        static final Entry NONE = new Entry(0, 0);

        static Entry of(long word) {
            return new Entry((int) (word >>> 32), (int) word);
        }

        long word() {
            return ((long) last << 32) | (digest & 0xffff_ffffL);
        }

        Entry and(int checksum) {
            return new Entry(last + 1, 31 * digest + checksum);
        }
    }

    private static final class Owner {
        Object connection; // guarded by this
    }

    private final ConcurrentHashMap<Integer, Owner> owners = new ConcurrentHashMap<>();
    private final MemorySegment words;

    Ledger(Path file) throws IOException {
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            words = channel.map(MapMode.READ_WRITE, 0, (STREAMS_MAX + 1) * 8L, Arena.global());
        }
    }

    private Owner owner(int stream) {
        return owners.computeIfAbsent(stream, _ -> new Owner());
    }

    /** A connection becomes the stream's; what it holds so far. */
    Entry hello(int stream, Object connection) {
        Owner owner = owner(stream);
        synchronized (owner) {
            owner.connection = connection;
            return read(stream);
        }
    }

    Entry read(int stream) {
        return Entry.of((long) WORD.getVolatile(words, stream * 8L));
    }

    /**
     * Takes in the next number.
     *
     * @return whether the connection is still the stream's
     * @throws Violation if it isn't the next number
     */
    @SuppressWarnings("ReferenceEquality") // that connection, not one like it
    boolean apply(int stream, Object connection, long number, int checksum) throws Violation {
        Owner owner = owner(stream);
        synchronized (owner) {
            if (owner.connection != connection) {
                return false;
            }
            Entry entry = read(stream);
            if (number != entry.last + 1) {
                throw new Violation(
                        "stream %d: number %d came after %d".formatted(stream, number, entry.last));
            }
            WORD.setVolatile(words, stream * 8L, entry.and(checksum).word());
            return true;
        }
    }

    /** A whole request of HTTP has come. */
    void countRequest() {
        long _ = (long) WORD.getAndAdd(words, REQUESTS * 8L, 1L);
    }

    long requests() {
        return (long) WORD.getVolatile(words, REQUESTS * 8L);
    }
}
