package io.loomuring.carrier;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;

import org.jctools.queues.atomic.MpmcAtomicArrayQueue;

import java.nio.ByteBuffer;

/**
 * A block of native memory for the time of one call: bytes of heap buffers on their way to the
 * kernel, message headers. From a lock-free pool; any thread takes, any thread gives back.
 */
public final class Scratch {
    /** Bytes of a block. */
    public static final int SIZE = 64 * 1024;

    private static final int POOLED_MAX = 256;
    private static final MpmcAtomicArrayQueue<Scratch> POOL =
            new MpmcAtomicArrayQueue<>(POOLED_MAX);

    public final long address;

    /** The block in native byte order; position and limit are the user's to set. */
    public final ByteBuffer buffer;

    private Scratch(long address) {
        this.address = address;
        this.buffer = Memory.view(address, SIZE);
    }

    /**
     * A block, whatever it holds from before.
     *
     * @throws OutOfMemoryError if the system has no memory for a new one
     */
    public static Scratch take() {
        Scratch pooled = POOL.poll();
        if (pooled != null) {
            return pooled;
        }
        long address = Native.lu_map_anonymous(SIZE);
        if (address < 0) {
            throw new OutOfMemoryError("native memory for I/O");
        }
        return new Scratch(address);
    }

    /** Gives the block back: the kernel must be done with it. */
    public void release() {
        if (!POOL.offer(this)) {
            Native.lu_unmap(address, SIZE);
        }
    }
}
