package io.loomuring.file;

import static java.nio.file.StandardOpenOption.READ;

import io.loomuring.carrier.CarrierIo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.InterruptibleChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;

/**
 * An open file, read and written at positions. A virtual thread that has to wait for the disk parks
 * and leaves its carrier to others: its operation is one of the carrier's ring. A platform thread
 * makes the system calls itself.
 *
 * <p>Where loom-uring doesn't carry this JVM, and for a path of another file system than the
 * default one, everything is done by a {@link FileChannel}, and a waiting virtual thread may keep
 * its carrier.
 *
 * <p>Any number of threads may use a file at a time. Interrupt and close are those of {@link
 * FileChannel}: an interrupted thread gets {@link ClosedByInterruptException}, keeps its interrupt
 * status, and the file is closed for all; a thread that is inside while another one closes gets
 * {@link AsynchronousCloseException}; whoever comes later gets {@link ClosedChannelException}. What
 * a thread waits for is cancelled then, but no thread leaves before the kernel is done with its
 * buffer, and {@link #close} returns when the descriptor is closed. An interrupt is also the way to
 * limit the time of a call.
 *
 * <p>FIFOs, terminals and other things without positions can be opened, too. Of those a position
 * means nothing, and a thread waits for them without a buffer and without a thread of the kernel's.
 * Opening one to read doesn't wait for a writer: the first read does. Opening one to write waits
 * for a reader; on the carriers an interrupt ends that, with {@link ClosedByInterruptException}.
 *
 * <p>A program that is started does not inherit the descriptor. A file that is dropped without
 * {@link #close} is closed when the garbage collector finds it.
 */
public abstract sealed class RingFile implements InterruptibleChannel permits UringFile, JdkFile {
    static final int EOF = -1;

    private final boolean readable;
    private final boolean writable;

    RingFile(OpenMode mode) {
        readable = mode.readable();
        writable = mode.writable();
    }

    /**
     * Opens or creates a file, as {@link FileChannel#open(Path, OpenOption...)}.
     *
     * @see #open(Path, Set, FileAttribute...)
     */
    public static RingFile open(Path path, OpenOption... options) throws IOException {
        return open(path, Set.copyOf(Arrays.asList(options)));
    }

    /**
     * Opens or creates a file, as {@link FileChannel#open(Path, Set, FileAttribute...)}.
     *
     * @param options of {@link java.nio.file.StandardOpenOption} all but {@code DELETE_ON_CLOSE},
     *     and {@link java.nio.file.LinkOption#NOFOLLOW_LINKS}; none means {@code READ}
     * @param attributes {@code posix:permissions} of a file that is created, or none
     * @throws java.nio.file.NoSuchFileException and the other subclasses of {@link
     *     java.nio.file.FileSystemException}, as {@code FileChannel.open}
     * @throws ClosedByInterruptException if the thread is interrupted while it waits for the reader
     *     of a FIFO
     * @throws IllegalArgumentException if the options contradict each other
     * @throws UnsupportedOperationException if an option or attribute can't be had
     */
    public static RingFile open(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        Objects.requireNonNull(path);
        OpenMode mode = OpenMode.of(options);
        // by the static methods, whose classes link against what the installation opens
        return CarrierIo.isInUse() && UringFile.canOpen(path)
                ? UringFile.open(path, mode, OpenMode.permissions(attributes))
                : JdkFile.open(path, mode, options, attributes);
    }

    /**
     * All bytes of a file, also of one whose size the system doesn't know, as those of {@code
     * /proc}.
     *
     * @throws ClosedByInterruptException if the thread is interrupted
     * @throws OutOfMemoryError if they don't fit into an array
     */
    public static byte[] readAllBytes(Path path) throws IOException {
        try (RingFile file = open(path, READ)) {
            return file.readAll();
        }
    }

    private static final int FIRST_READ_BYTES = 8 * 1024; // most configuration files are smaller
    private static final int ARRAY_BYTES_MAX = Integer.MAX_VALUE - 8;

    private byte[] readAll() throws IOException {
        byte[] bytes = new byte[FIRST_READ_BYTES];
        int count = 0;
        while (true) {
            int n = read(ByteBuffer.wrap(bytes, count, bytes.length - count), count);
            if (n < 0) {
                return Arrays.copyOf(bytes, count);
            }
            count += n;
            if (count == bytes.length) {
                bytes = Arrays.copyOf(bytes, grown(count, size()));
            }
        }
    }

    /** Room for one byte more than the file's size, so that the next read finds its end. */
    private static int grown(int count, long size) {
        long grown = Math.max(2L * count, size + 1);
        if (count >= ARRAY_BYTES_MAX || size > ARRAY_BYTES_MAX) {
            throw new OutOfMemoryError("Required array size too large");
        }
        return (int) Math.min(grown, ARRAY_BYTES_MAX);
    }

    /**
     * What {@code statx(2)} says of a file. Two of one path that are equal are of the same file,
     * which was not changed in between, as far as the file system's clock tells.
     *
     * @param device as {@code st_dev}
     * @param mode type and permissions, as {@code st_mode}
     * @param size in bytes
     * @param modified when its content was written last
     * @param changed when its content, owner, permissions or links changed last
     */
    public record Status(
            long device, long inode, int mode, long size, Instant modified, Instant changed) {}

    /**
     * The status of the file that a path, and what links lead from there, arrives at. An interrupt
     * doesn't end the call.
     *
     * @throws java.nio.file.NoSuchFileException and the other subclasses of {@link
     *     java.nio.file.FileSystemException}, as {@link java.nio.file.Files#readAttributes}
     * @throws UnsupportedOperationException if the path's file system knows nothing of the kind
     */
    public static Status status(Path path) throws IOException {
        return CarrierIo.isInUse() && UringFile.canOpen(path)
                ? UringFile.statusOf(path)
                : JdkFile.statusOf(path);
    }

    /** Bytes of the file; of a thing that has none, what {@code statx(2)} says. */
    public abstract long size() throws IOException;

    /**
     * Reads from a position on: at least one byte if there is one and room for it.
     *
     * @param position in bytes; means nothing to a FIFO and its like
     * @return bytes read, perhaps 0 if there is no room; -1 at the end of the file
     */
    public final int read(ByteBuffer dst, long position) throws IOException {
        check(dst, position);
        if (!readable) {
            throw new NonReadableChannelException();
        }
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
        return implRead(dst, position);
    }

    /**
     * Writes what remains in a buffer to a position, which may lie behind the file's end.
     *
     * @param position in bytes; means nothing to a FIFO and its like, nor to a file that is opened
     *     to append, which is written at its end
     * @return bytes written: all, or fewer if something kept the rest from being written, which the
     *     next call will say
     */
    public final int write(ByteBuffer src, long position) throws IOException {
        check(src, position);
        if (!writable) {
            throw new NonWritableChannelException();
        }
        return implWrite(src, position);
    }

    private static void check(ByteBuffer buffer, long position) {
        Objects.requireNonNull(buffer);
        if (position < 0) {
            throw new IllegalArgumentException("Negative position");
        }
    }

    abstract int implRead(ByteBuffer dst, long position) throws IOException;

    abstract int implWrite(ByteBuffer src, long position) throws IOException;

    /**
     * Returns when what was written is on the disk.
     *
     * @param metaData whether all that is known about the file is to be there as well ({@code
     *     fsync(2)}), or only what is needed to read it ({@code fdatasync(2)})
     */
    public abstract void force(boolean metaData) throws IOException;
}
