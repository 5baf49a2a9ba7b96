package io.loomuring.abi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Native memory by absolute address, plain or ordered.
 *
 * <p>Every access of the project to memory shared with the kernel stands here, so that each {@code
 * VarHandle} call site is linked once, before a carrier depends on it. Nothing is bounds-checked:
 * callers own their addresses. Acquire and release pair with the kernel's {@code smp_load_acquire}
 * and {@code smp_store_release} of the ring heads and tails.
 */
public final class Memory {
    private Memory() {}

    @SuppressWarnings("restricted") // the shim is native code already
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();

    public static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    public static short getShort(long address) {
        return ALL.get(ValueLayout.JAVA_SHORT, address);
    }

    public static void putShort(long address, short value) {
        ALL.set(ValueLayout.JAVA_SHORT, address, value);
    }

    /** Publishes what was written before it to the kernel. */
    public static void putShortRelease(long address, short value) {
        SHORT.setRelease(ALL, address, value);
    }

    public static int getInt(long address) {
        return ALL.get(ValueLayout.JAVA_INT, address);
    }

    /** Sees all that the kernel wrote before it published the value. */
    public static int getIntAcquire(long address) {
        return (int) INT.getAcquire(ALL, address);
    }

    public static void putInt(long address, int value) {
        ALL.set(ValueLayout.JAVA_INT, address, value);
    }

    /** Publishes what was written before it to the kernel. */
    public static void putIntRelease(long address, int value) {
        INT.setRelease(ALL, address, value);
    }

    public static long getLong(long address) {
        return ALL.get(ValueLayout.JAVA_LONG, address);
    }

    public static void putLong(long address, long value) {
        ALL.set(ValueLayout.JAVA_LONG, address, value);
    }

    /** A direct buffer over memory that the caller keeps alive, in native byte order. */
    public static ByteBuffer view(long address, long length) {
        return ALL.asSlice(address, length).asByteBuffer().order(ByteOrder.nativeOrder());
    }
}
