package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;

import java.nio.ByteBuffer;

/**
 * Buffers provided to the kernel ({@code IORING_REGISTER_PBUF_RING}): it takes one when data
 * arrives, the reaper copies the data out and provides the buffer again at once. So a parked reader
 * holds none, and the number of buffers bounds only what one turn reaps.
 *
 * <p>Used by the holder of the ring's owner word only.
 */
final class BufferRing {
    static final int BUFFER_SIZE = 16 * 1024; // bytes
    static final int BUFFERS = 128; // a power of two; untouched ones cost no memory
    static final int GROUP = 0; // the ring's only buffer group

    // Small messages use the start of a buffer: at the same offset everywhere, the starts would
    // meet in the same few sets of the processor's caches
    private static final int STRIDE = BUFFER_SIZE + 64;

    private final int ringFd;
    private final long entries; // struct io_uring_buf[BUFFERS]
    private final long slabAddress;
    private final ByteBuffer slab;
    private int tail;

    /**
     * @throws RingException if the kernel refuses memory or registration
     */
    BufferRing(int ringFd) throws RingException {
        this.ringFd = ringFd;
        entries = RingException.check("mmap", Native.lu_map_anonymous(entriesLength()));
        try {
            slabAddress = RingException.check("mmap", Native.lu_map_anonymous(slabLength()));
        } catch (RingException e) {
            Native.lu_unmap(entries, entriesLength());
            throw e;
        }
        slab = Memory.view(slabAddress, slabLength());
        int rc = register(IORING_REGISTER_PBUF_RING);
        if (rc < 0) {
            unmap();
            throw new RingException("io_uring_register(PBUF_RING)", -rc);
        }
        for (int bid = 0; bid < BUFFERS; bid++) {
            provide(bid);
        }
    }

    private static long entriesLength() {
        return (long) BUFFERS * SIZEOF_IO_URING_BUF;
    }

    private static long slabLength() {
        return (long) BUFFERS * STRIDE;
    }

    private int register(int opcode) {
        long reg = Native.lu_map_anonymous(SIZEOF_IO_URING_BUF_REG);
        if (reg < 0) {
            return -Errno.ENOMEM;
        }
        Memory.putLong(reg + BUF_REG_RING_ADDR, entries);
        Memory.putInt(reg + BUF_REG_RING_ENTRIES, BUFFERS);
        Memory.putShort(reg + BUF_REG_BGID, (short) GROUP);
        int rc = Native.lu_io_uring_register(ringFd, opcode, reg, 1);
        Native.lu_unmap(reg, SIZEOF_IO_URING_BUF_REG);
        return rc;
    }

    /** Copies what the kernel put into a buffer to an array. */
    void copy(int bid, byte[] dst, int offset, int length) {
        slab.get(bid * STRIDE, dst, offset, length);
    }

    /** Gives a buffer to the kernel. */
    void provide(int bid) {
        long entry = entries + (long) (tail & (BUFFERS - 1)) * SIZEOF_IO_URING_BUF;
        Memory.putLong(entry + BUF_ADDR, slabAddress + (long) bid * STRIDE);
        Memory.putInt(entry + BUF_LEN, BUFFER_SIZE);
        Memory.putShort(entry + BUF_BID, (short) bid); // its neighbour is the ring's tail
        tail++;
        Memory.putShortRelease(entries + BUF_RING_TAIL, (short) tail);
    }

    /** After the last operation that could take a buffer has ended. */
    void close() {
        register(IORING_UNREGISTER_PBUF_RING);
        unmap();
    }

    private void unmap() {
        Native.lu_unmap(slabAddress, slabLength());
        Native.lu_unmap(entries, entriesLength());
    }
}
