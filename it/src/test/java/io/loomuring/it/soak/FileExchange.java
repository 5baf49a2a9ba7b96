package io.loomuring.it.soak;

import io.loomuring.file.RingFile;
import io.loomuring.it.NumberedStream;

import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Blocks of a file on the rings, each written at its place, and looked at again a round later; and
 * a line in a log for each.
 */
final class FileExchange implements NumberedExchange {
    private static final int BLOCK_BYTES = 8 * 1024;
    private static final int BLOCKS = 64;
    private static final int LOG_BYTES_MAX = 256 * 1024;

    private final int stream;
    private final Path file;
    private final Path log;
    private final byte[] block = new byte[BLOCK_BYTES];
    private RingFile data;
    private FileOutputStream lines;
    private long logged; // bytes

    FileExchange(int stream, Path folder) {
        this.stream = stream;
        file = folder.resolve("data-" + stream);
        log = folder.resolve("log-" + stream);
    }

    @Override
    public void attempt(long number, Guard.Watch watch) throws IOException, Violation {
        if (data == null) {
            data =
                    RingFile.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
        }
        if (lines == null || logged > LOG_BYTES_MAX) {
            closeLog();
            lines = new FileOutputStream(log.toFile()); // from the start again
            logged = 0;
        }
        long place = number % BLOCKS * BLOCK_BYTES;
        if (number > BLOCKS) {
            check(number - BLOCKS, place);
        }
        NumberedStream.fill(MemorySegment.ofArray(block), start(number));
        ByteBuffer source = ByteBuffer.wrap(block);
        while (source.hasRemaining()) {
            data.write(source, place + source.position());
        }
        byte[] line =
                "%d done in stream %d%n".formatted(number, stream).getBytes(StandardCharsets.UTF_8);
        lines.write(line);
        logged += line.length;
    }

    private long start(long number) {
        return number * BLOCK_BYTES + stream * 1009L;
    }

    /** The block is the old one; where the new one was in doubt, it may have begun. */
    private void check(long number, long place) throws IOException, Violation {
        ByteBuffer target = ByteBuffer.wrap(block);
        while (target.hasRemaining()) {
            if (data.read(target, place + target.position()) < 0) {
                throw new Violation("stream %d: block %d is missing".formatted(stream, number));
            }
        }
        MemorySegment all = MemorySegment.ofArray(block);
        long begun = NumberedStream.mismatch(all, start(number + BLOCKS));
        if (begun < 0) {
            return;
        }
        long old = NumberedStream.mismatch(all.asSlice(begun), start(number) + begun);
        if (old >= 0) {
            throw new Violation(
                    "stream %d: block %d differs at %d".formatted(stream, number, begun + old));
        }
    }

    private void closeLog() throws IOException {
        FileOutputStream open = lines;
        lines = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void close() throws IOException {
        RingFile open = data;
        data = null;
        if (open != null) {
            open.close();
        }
        closeLog();
    }
}
