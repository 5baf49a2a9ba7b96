package io.loomuring.ring;

import static io.loomuring.abi.IoUringAbi.*;

import io.loomuring.abi.IoUringAbi;
import io.loomuring.abi.Memory;
import io.loomuring.abi.Native;
import io.loomuring.abi.Shim;

import java.lang.reflect.Field;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What this kernel's io_uring can do, probed once.
 *
 * @param features {@code IORING_FEAT_*} bits of {@code io_uring_setup(2)}
 * @param opcodes the supported {@code IORING_OP_*} numbers
 */
public record KernelFeatures(int features, BitSet opcodes) {
    private static final int PROBE_OPS_MAX = 256;

    /** Not used: the newest operation of Linux 6.1, the oldest kernel that this is tested on. */
    private static final int BASELINE = IORING_OP_SENDMSG_ZC;

    private static final int FEATURES_NEEDED =
            IORING_FEAT_SINGLE_MMAP
                    | IORING_FEAT_NODROP
                    | IORING_FEAT_FAST_POLL
                    | IORING_FEAT_EXT_ARG
                    | IORING_FEAT_CQE_SKIP;
    private static final int[] OPCODES_NEEDED = {
        IORING_OP_FSYNC,
        IORING_OP_POLL_ADD,
        IORING_OP_SENDMSG,
        IORING_OP_RECVMSG,
        IORING_OP_ACCEPT,
        IORING_OP_ASYNC_CANCEL,
        IORING_OP_CONNECT,
        IORING_OP_OPENAT,
        IORING_OP_CLOSE,
        IORING_OP_STATX,
        IORING_OP_READ,
        IORING_OP_WRITE,
        IORING_OP_SEND,
        IORING_OP_RECV,
        BASELINE
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
                RingException.check("io_uring_enter", Shim.enter(fd, 0, 0, 0, 0, 0));
                return new KernelFeatures(Memory.getInt(params + PARAMS_FEATURES), probeOps(fd));
            } finally {
                Native.lu_close(fd);
            }
        } finally {
            Native.lu_unmap(params, SIZEOF_IO_URING_PARAMS);
        }
    }

    /** The error by which the kernel refuses a ring with these {@code IORING_SETUP_*}; 0 if not. */
    public static int refusalOf(int setupFlags) {
        long params = Native.lu_map_anonymous(SIZEOF_IO_URING_PARAMS);
        if (params < 0) {
            return (int) -params;
        }
        Memory.putInt(params + PARAMS_FLAGS, setupFlags);
        int fd = Native.lu_io_uring_setup(1, params);
        Native.lu_unmap(params, SIZEOF_IO_URING_PARAMS);
        return fd < 0 ? -fd : Math.min(0, Native.lu_close(fd));
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

    /** What this project needs, by the kernel's names, and whether this kernel has it. */
    public Map<String, Boolean> needed() {
        var needed = new LinkedHashMap<String, Boolean>();
        for (int feature : bitsOf(FEATURES_NEEDED)) {
            needed.put(nameOf("IORING_FEAT_", feature), (features & feature) != 0);
        }
        for (int opcode : OPCODES_NEEDED) {
            needed.put(nameOf("IORING_OP_", opcode), opcodes.get(opcode));
        }
        return needed;
    }

    /** What this project needs and this kernel lacks, as the kernel's names; empty if nothing. */
    public List<String> missing() {
        return needed().entrySet().stream()
                .filter(feature -> !feature.getValue())
                .map(Map.Entry::getKey)
                .toList();
    }

    private static int[] bitsOf(int mask) {
        return BitSet.valueOf(new long[] {mask}).stream().map(bit -> 1 << bit).toArray();
    }

    /** The header's name of a value, which is one of those that we have constants for. */
    private static String nameOf(String prefix, int value) {
        try {
            for (Field field : IoUringAbi.class.getFields()) {
                if (field.getName().startsWith(prefix) && field.getInt(null) == value) {
                    return field.getName();
                }
            }
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
        throw new AssertionError(prefix + value);
    }
}
