package io.loomuring.carrier;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.jdk.JdkInternals;

import org.jctools.queues.atomic.MpmcAtomicArrayQueue;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A block of native memory for the time of one call: bytes of heap buffers on their way to the
 * kernel, message headers. Any thread takes, any thread gives back. The threads of a carrier share
 * its stack of blocks, the last used first since it is in the cache; the others, and those who find
 * the stack empty or full, a lock-free pool.
 */
public final class Scratch {
    /** Bytes of a block. */
    public static final int SIZE = 64 * 1024;

    private static final int POOLED_MAX = 256;
    private static final int STACKED_MAX = 64;

    // Small messages use the start of a block: at the same offset everywhere, the starts of many
    // blocks would meet in the same few sets of the processor's caches
    private static final int CACHE_LINE = 64; // bytes
    private static final int COLOURS = 64;
    private static final int MAPPED = SIZE + COLOURS * CACHE_LINE;
    private static final AtomicInteger nextColour = new AtomicInteger();

    /** The blocks that a carrier has at hand; for it and the threads it runs. */
    static final class Stack {
        private final Scratch[] blocks = new Scratch[STACKED_MAX];
        private int size;
    }

    private static final MpmcAtomicArrayQueue<Scratch> POOL =
            new MpmcAtomicArrayQueue<>(POOLED_MAX);

    private final long mapped;
    public final long address;
    private boolean taken;

    /** The block in native byte order; position and limit are the user's to set. */
    public final ByteBuffer buffer;

    private Scratch(long mapped) {
        int colour = nextColour.getAndIncrement() & (COLOURS - 1);
        this.mapped = mapped;
        this.address = mapped + (long) colour * CACHE_LINE;
        this.buffer = Memory.view(address, SIZE);
    }

    /**
     * A block, whatever it holds from before.
     *
     * @throws OutOfMemoryError if the system has no memory for a new one
     */
    public static Scratch take() {
        Scratch scratch = takeFree();
        if (scratch == null) {
            long mapped = Native.lu_map_anonymous(MAPPED);
            if (mapped < 0) {
                throw new OutOfMemoryError("native memory for I/O");
            }
            scratch = new Scratch(mapped);
        }
        assert !scratch.taken : "a block for two";
        scratch.taken = true;
        return scratch;
    }

    private static Scratch takeFree() {
        Stack stack = stack();
        return stack != null && stack.size > 0 ? stack.blocks[--stack.size] : POOL.poll();
    }

    /** Gives the block back: the kernel must be done with it. */
    public void release() {
        assert taken : "given back twice";
        taken = false;
        Stack stack = stack();
        if (stack != null && stack.size < STACKED_MAX) {
            stack.blocks[stack.size++] = this;
        } else if (!POOL.offer(this)) {
            Native.lu_unmap(mapped, MAPPED);
        }
    }

    /** Whether it is in use; any thread, a moment late. */
    public boolean isTaken() {
        return taken;
    }

    /** Without pre-emption a virtual thread stays on this carrier until it parks. */
    private static Stack stack() {
        return JdkInternals.Threads.currentCarrier() instanceof Carrier carrier
                ? carrier.scratches
                : null;
    }
}
