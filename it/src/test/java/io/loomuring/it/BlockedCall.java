package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.SplittableRandom;

/** A thread that reads or writes a numbered stream until something ends that. */
final class BlockedCall implements Runnable {
    private static final int CAPACITY = 64 * 1024;

    private final SocketChannel channel;
    private final boolean writes;
    private final SplittableRandom random;
    private final ByteBuffer[] buffers;

    // Written by the thread, read after it has ended
    private long bytes;
    private Throwable exception;
    private boolean interruptStatus;

    private BlockedCall(SocketChannel channel, boolean writes, SplittableRandom random) {
        this.channel = channel;
        this.writes = writes;
        this.random = random;
        buffers = new ByteBuffer[] {newBuffer(), newBuffer()};
    }

    static BlockedCall reading(SocketChannel channel, SplittableRandom random) {
        return new BlockedCall(channel, false, random);
    }

    static BlockedCall writing(SocketChannel channel, SplittableRandom random) {
        return new BlockedCall(channel, true, random);
    }

    private ByteBuffer newBuffer() {
        int capacity = 1 + random.nextInt(CAPACITY);
        return random.nextBoolean()
                ? ByteBuffer.allocate(capacity)
                : ByteBuffer.allocateDirect(capacity);
    }

    @Override
    public void run() {
        try {
            while (writes ? write() : read()) {}
        } catch (Throwable e) {
            exception = e;
        }
        interruptStatus = Thread.currentThread().isInterrupted();
    }

    private boolean read() throws IOException {
        buffers[0].clear();
        buffers[1].clear();
        long n;
        try {
            n = random.nextBoolean() ? channel.read(buffers[0]) : channel.read(buffers);
        } finally {
            // a call that fails may have read all the same: positions tell
            check(buffers[0].duplicate().flip(), bytes);
            check(buffers[1].duplicate().flip(), bytes + buffers[0].position());
            bytes += moved();
        }
        assertThat(Math.max(0, n)).isEqualTo(moved());
        return n >= 0;
    }

    private static void check(ByteBuffer data, long position) {
        long at = NumberedStream.mismatch(MemorySegment.ofBuffer(data), position);
        assertThat(at).as("where the stream is wrong").isEqualTo(-1);
    }

    private boolean write() throws IOException {
        fill(buffers[0], bytes);
        fill(buffers[1], bytes + buffers[0].capacity());
        long n;
        try {
            n = random.nextBoolean() ? channel.write(buffers[0]) : channel.write(buffers);
        } finally {
            bytes += moved();
        }
        assertThat(n).isEqualTo(moved());
        return true;
    }

    private static void fill(ByteBuffer buffer, long position) {
        NumberedStream.fill(MemorySegment.ofBuffer(buffer.clear()), position);
    }

    private long moved() {
        return (long) buffers[0].position() + buffers[1].position();
    }

    /** Bytes read or written, by calls that failed too. */
    long bytes() {
        return bytes;
    }

    /** What ended it, or null if that was the end of the stream. */
    Throwable exception() {
        return exception;
    }

    boolean interruptStatus() {
        return interruptStatus;
    }
}
