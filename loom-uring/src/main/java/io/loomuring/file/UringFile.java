package io.loomuring.file;

import static io.loomuring.abi.Errno.*;
import static io.loomuring.abi.FileAbi.*;
import static io.loomuring.abi.SocketAbi.POLLIN;
import static io.loomuring.abi.SocketAbi.POLLOUT;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Shim;
import io.loomuring.carrier.CarrierIo;
import io.loomuring.carrier.InterruptibleOwner;
import io.loomuring.carrier.Scratch;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.Op;

import java.io.IOException;
import java.lang.ref.Cleaner.Cleanable;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;

/**
 * A file on the rings.
 *
 * <p>Everything is opened with {@code O_NONBLOCK}, so that no open waits in a worker thread of the
 * kernel's, of which a ring has few. What has positions is then put into blocking mode: only the
 * disk can make it wait. What has none, a stream, stays in non-blocking mode, and who waits for it
 * does so by a poll, as for a pipe: 015-files in docs/decisions.
 */
final class UringFile extends RingFile implements InterruptibleOwner {
    private final Path path; // for messages
    private final int fd;
    private final boolean stream;

    private final FileOps ops = new FileOps(this, this::closeDescriptor);
    private final Descriptor descriptor;
    private final Cleanable cleanable;
    private final CountDownLatch closed = new CountDownLatch(1);
    private int closeResult; // published by closed

    /** Closes a descriptor whose file is unreachable, unless that was done before. */
    private static final class Descriptor implements Runnable {
        private final int fd;
        boolean closed; // written before the cleaner is told to forget it

        Descriptor(int fd) {
            this.fd = fd;
        }

        @Override
        public void run() {
            if (!closed) {
                int n = Shim.close(fd);
                assert n != -EBADF : "descriptor " + fd + " closed twice";
            }
        }
    }

    private UringFile(Path path, OpenMode mode, int fd, boolean stream) {
        super(mode);
        this.path = path;
        this.fd = fd;
        this.stream = stream;
        descriptor = new Descriptor(fd);
        cleanable = SunNet.whenUnreachable(this, descriptor);
    }

    // ---- open ----

    static boolean canOpen(Path path) {
        return SunNet.isSystemPath(path);
    }

    static RingFile open(Path path, OpenMode mode, int permissions) throws IOException {
        int flags = mode.flags() | O_CLOEXEC;
        Scratch scratch = Scratch.take();
        int fd;
        try {
            putPath(path, scratch);
            fd = open(scratch, flags, permissions);
        } finally {
            scratch.release();
        }
        if (fd < 0) {
            throw FileExceptions.open(path, mode, fd);
        }
        boolean done = false;
        try {
            boolean stream = Shim.position(fd) == -ESPIPE;
            SunNet.configureBlocking(SunNet.newFd(fd), !stream);
            RingFile file = new UringFile(path, mode, fd, stream);
            done = true;
            return file;
        } finally {
            if (!done) {
                Shim.close(fd);
            }
        }
    }

    private static void putPath(Path path, Scratch scratch) throws IOException {
        byte[] bytes = SunNet.pathBytes(path);
        if (bytes.length >= PATH_MAX) {
            throw FileExceptions.io(path, -ENAMETOOLONG);
        }
        scratch.buffer.put(0, bytes);
        Memory.putByte(scratch.address + bytes.length, (byte) 0);
    }

    /** Deaf to interrupts as long as only the disk makes it wait, as the JDK's. */
    private static int open(Scratch path, int flags, int permissions) throws IOException {
        Op op = alone();
        int n = CarrierIo.openat(op, AT_FDCWD, path.address, flags | O_NONBLOCK, permissions);
        boolean waits = n == -EAGAIN || (n == -ENXIO && isFifo(op, path));
        return waits ? BlockingOpen.open(path.address, flags, permissions) : n;
    }

    private static boolean isFifo(Op op, Scratch path) {
        return statx(op, path, STATX_TYPE) == 0
                && (Memory.getShort(path.address + PATH_MAX + STATX_STX_MODE) & S_IFMT) == S_IFIFO;
    }

    /** Puts the structure behind the path. */
    private static int statx(Op op, Scratch path, int mask) {
        long statx = path.address + PATH_MAX;
        return CarrierIo.statx(op, AT_FDCWD, path.address, 0, mask, statx);
    }

    /** An operation that nobody cancels. */
    private static Op alone() {
        var op = new Op(ignored -> {});
        op.tryClaim();
        return op;
    }

    // ---- status ----

    static Status statusOf(Path path) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            putPath(path, scratch);
            int n = statx(alone(), scratch, STATX_BASIC_STATS);
            if (n < 0) {
                throw FileExceptions.status(path, n);
            }
            long statx = scratch.address + PATH_MAX;
            return new Status(
                    device(
                            Memory.getInt(statx + STATX_STX_DEV_MAJOR),
                            Memory.getInt(statx + STATX_STX_DEV_MINOR)),
                    Memory.getLong(statx + STATX_STX_INO),
                    Short.toUnsignedInt(Memory.getShort(statx + STATX_STX_MODE)),
                    Memory.getLong(statx + STATX_STX_SIZE),
                    instant(statx + STATX_STX_MTIME),
                    instant(statx + STATX_STX_CTIME));
        } finally {
            scratch.release();
        }
    }

    /** As {@code makedev(3)} puts the two together. */
    private static long device(long major, long minor) {
        return (major & 0xfffff000L) << 32
                | (major & 0xfffL) << 8
                | (minor & 0xffffff00L) << 12
                | (minor & 0xffL);
    }

    private static Instant instant(long timestamp) {
        return Instant.ofEpochSecond(
                Memory.getLong(timestamp), Memory.getInt(timestamp + STATX_TIMESTAMP_TV_NSEC));
    }

    // ---- read ----

    @Override
    int implRead(ByteBuffer dst, long position) throws IOException {
        Op op = begin();
        try {
            if (!dst.hasRemaining()) {
                return 0;
            }
            int n = stream ? readStream(op, dst) : transfer(READ, op, dst, position);
            return end(n) == 0 ? EOF : n;
        } finally {
            ops.release(op);
        }
    }

    /** As much as there is at a time. */
    private int readStream(Op op, ByteBuffer dst) {
        int n;
        do {
            // before the first writer of a FIFO came, a read would say that the last one has left
            n = CarrierIo.poll(op, fd, POLLIN, 0);
            if (n > 0) {
                n = transfer(READ_STREAM, op, dst, 0);
            }
        } while (n == -EAGAIN || (n == -EINTR && !op.isCancelled()));
        return n;
    }

    // ---- write ----

    @Override
    int implWrite(ByteBuffer src, long position) throws IOException {
        Op op = begin();
        try {
            if (!src.hasRemaining()) {
                return 0;
            }
            return end(stream ? writeStream(op, src) : transfer(WRITE, op, src, position));
        } finally {
            ops.release(op);
        }
    }

    /** All, or what could be written before an error or a cancel. */
    private int writeStream(Op op, ByteBuffer src) {
        int written = 0;
        int n = 0;
        while (src.hasRemaining() && n >= 0) {
            n = transfer(WRITE_STREAM, op, src, 0);
            written += Math.max(0, n);
            if (src.hasRemaining() && (n >= 0 || n == -EAGAIN || n == -EINTR)) {
                n = CarrierIo.poll(op, fd, POLLOUT, 0);
            }
        }
        return written > 0 ? written : n;
    }

    // ---- both ----

    /** One transfer from or to native memory, of as many bytes as the kernel likes. */
    @FunctionalInterface
    private interface Call {
        int on(UringFile file, Op op, long address, int length, long position);
    }

    private static final Call READ =
            (file, op, address, length, position) ->
                    CarrierIo.read(op, file.fd, address, length, position);
    private static final Call READ_STREAM =
            (file, op, address, length, position) -> Shim.read(file.fd, address, length);
    private static final Call WRITE =
            (file, op, address, length, position) ->
                    CarrierIo.write(op, file.fd, address, length, position);
    private static final Call WRITE_STREAM =
            (file, op, address, length, position) -> Shim.write(file.fd, address, length);

    /**
     * Transfers what remains, until the kernel does less than it was asked for, and moves the
     * buffer's position. A direct buffer is the kernel's own target; a heap buffer goes through
     * native memory that belongs to the call until the kernel is done with it.
     *
     * @return bytes, or the error if there are none
     */
    private int transfer(Call call, Op op, ByteBuffer buffer, long position) {
        int n =
                buffer.isDirect()
                        ? direct(call, op, buffer, position)
                        : copied(call, op, buffer, position);
        if (n > 0) {
            buffer.position(buffer.position() + n);
        }
        return n;
    }

    private int direct(Call call, Op op, ByteBuffer buffer, long position) {
        long address = SunNet.acquire(buffer);
        try {
            return call.on(this, op, address + buffer.position(), buffer.remaining(), position);
        } finally {
            SunNet.release(buffer);
        }
    }

    private int copied(Call call, Op op, ByteBuffer buffer, long position) {
        boolean in = call == READ || call == READ_STREAM;
        int start = buffer.position();
        int length = buffer.remaining();
        int done = 0;
        Scratch scratch = Scratch.take();
        try {
            while (done < length) {
                int chunk = Math.min(length - done, Scratch.SIZE);
                if (!in) {
                    scratch.buffer.put(0, buffer, start + done, chunk);
                }
                int n = call.on(this, op, scratch.address, chunk, position + done);
                if (n <= 0) {
                    return done > 0 ? done : n;
                }
                if (in) {
                    buffer.put(start + done, scratch.buffer, 0, n);
                }
                done += n;
                if (n < chunk) {
                    break;
                }
            }
            return done;
        } finally {
            scratch.release();
        }
    }

    // ---- size, force ----

    @Override
    public long size() throws IOException {
        Op op = begin();
        Scratch scratch = Scratch.take();
        try {
            long empty = scratch.address;
            long statx = scratch.address + Long.BYTES;
            Memory.putByte(empty, (byte) 0);
            end(CarrierIo.statx(op, fd, empty, AT_EMPTY_PATH, STATX_SIZE, statx));
            return Memory.getLong(statx + STATX_STX_SIZE);
        } finally {
            scratch.release();
            ops.release(op);
        }
    }

    @Override
    public void force(boolean metaData) throws IOException {
        Op op = begin();
        try {
            end(CarrierIo.fsync(op, fd, !metaData));
        } finally {
            ops.release(op);
        }
    }

    // ---- begin and end of a call, interrupts ----

    private Op begin() throws ClosedChannelException {
        Op op = ops.claim();
        boolean done = false;
        try {
            if (ops.isClosing()) {
                throw new ClosedChannelException();
            }
            checkInterrupt();
            done = true;
            return op;
        } finally {
            if (!done) {
                ops.release(op);
            }
        }
    }

    /** The result, or what it means. */
    private int end(int n) throws IOException {
        checkInterrupt();
        if (n == -ECANCELED || (n < 0 && ops.isClosing())) {
            throw new AsynchronousCloseException();
        }
        if (n < 0) {
            throw FileExceptions.io(path, n);
        }
        return n;
    }

    private void checkInterrupt() throws ClosedByInterruptException {
        if (Thread.currentThread().isInterrupted()) {
            ops.beginClose();
            throw new ClosedByInterruptException();
        }
    }

    @Override
    public boolean closesOnInterrupt() {
        return true;
    }

    @Override
    public void interrupted(Op op) {
        ops.beginClose();
    }

    @Override
    public void postInterrupt() {
        ops.beginClose();
    }

    // ---- close ----

    @Override
    public boolean isOpen() {
        return !ops.isClosing();
    }

    @Override
    public void close() throws IOException {
        boolean first = ops.beginClose();
        awaitClosed();
        if (first && closeResult < 0) {
            throw FileExceptions.io(path, closeResult);
        }
    }

    private void awaitClosed() {
        boolean interrupted = false;
        while (true) {
            try {
                closed.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** By the thread that retired the last operation. */
    private void closeDescriptor() {
        try {
            int n = CarrierIo.close(alone(), fd);
            if (n == -ENOMEM) { // not of close: the ring had no room
                n = Shim.close(fd);
            }
            assert n != -EBADF : "descriptor " + fd + " closed twice";
            closeResult = n;
            descriptor.closed = true;
            cleanable.clean();
        } finally {
            closed.countDown();
        }
    }
}
