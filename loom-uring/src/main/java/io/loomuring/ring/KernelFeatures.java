package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * What this kernel's io_uring can do, probed once.
 *
 * @param features {@code IORING_FEAT_*} bits of {@code io_uring_setup(2)}
 * @param opcodes the supported {@code IORING_OP_*} numbers
 */
public record KernelFeatures(int features, BitSet opcodes) {
    private static final int PROBE_OPS_MAX = 256;
    private static final int FEATURES_NEEDED =
            IORING_FEAT_SINGLE_MMAP
                    | IORING_FEAT_NODROP
                    | IORING_FEAT_FAST_POLL
                    | IORING_FEAT_EXT_ARG
                    | IORING_FEAT_CQE_SKIP;
    private static final int[] OPCODES_NEEDED = {
        IORING_OP_POLL_ADD,
        IORING_OP_SENDMSG,
        IORING_OP_RECVMSG,
        IORING_OP_ACCEPT,
        IORING_OP_ASYNC_CANCEL,
        IORING_OP_CONNECT,
        IORING_OP_SEND,
        IORING_OP_RECV
    };

    /**
     * Asks the kernel, by a small ring that is closed again.
     *
     * @throws RingException if it allows no ring at all
     */
    public static KernelFeatures probe() throws RingException {
        long params = RingException.check("mmap", Native.lu_map_anonymous(SIZEOF_IO_URING_PARAMS));
        try {
            int fd =
                    (int)
                            RingException.check(
                                    "io_uring_setup", Native.lu_io_uring_setup(1, params));
            try {
                return new KernelFeatures(Memory.getInt(params + PARAMS_FEATURES), probeOps(fd));
            } finally {
                Native.lu_close(fd);
            }
        } finally {
            Native.lu_unmap(params, SIZEOF_IO_URING_PARAMS);
        }
    }

    private static BitSet probeOps(int fd) throws RingException {
        long length = SIZEOF_IO_URING_PROBE + (long) PROBE_OPS_MAX * SIZEOF_IO_URING_PROBE_OP;
        long probe = RingException.check("mmap", Native.lu_map_anonymous(length));
        try {
            RingException.check(
                    "io_uring_register(PROBE)",
                    Native.lu_io_uring_register(fd, IORING_REGISTER_PROBE, probe, PROBE_OPS_MAX));
            var supported = new BitSet();
            int last = Memory.getByte(probe + PROBE_LAST_OP) & 0xff;
            for (int opcode = 0; opcode <= last; opcode++) {
                long op = probe + SIZEOF_IO_URING_PROBE + (long) opcode * SIZEOF_IO_URING_PROBE_OP;
                supported.set(
                        opcode,
                        (Memory.getShort(op + PROBE_OP_FLAGS) & IO_URING_OP_SUPPORTED) != 0);
            }
            return supported;
        } finally {
            Native.lu_unmap(probe, length);
        }
    }

    /** What this project needs and this kernel lacks, as the kernel's names; empty if nothing. */
    public List<String> missing() {
        var missing = new ArrayList<String>();
        if ((features & FEATURES_NEEDED) != FEATURES_NEEDED) {
            missing.add("io_uring features 0x" + Integer.toHexString(FEATURES_NEEDED & ~features));
        }
        for (int opcode : OPCODES_NEEDED) {
            if (!opcodes.get(opcode)) {
                missing.add("io_uring operation " + opcode);
            }
        }
        return missing;
    }
}
