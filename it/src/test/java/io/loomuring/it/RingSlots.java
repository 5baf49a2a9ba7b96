package io.loomuring.it;

import io.loomuring.LoomUring;
import io.loomuring.abi.Native;
import io.loomuring.carrier.Carrier;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.ring.Ring;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Set;

/** Looks into the rings from outside, at moments when nothing is under way. */
public final class RingSlots {
    private RingSlots() {}

    private static final int IORING_REGISTER_PBUF_STATUS = 26; // since Linux 6.8

    /** Operations that hold a slot of a ring, all rings together. */
    public static int inUse() {
        int sum = 0;
        for (Carrier carrier : carriers()) {
            sum += ((Ring) field(Carrier.class, "ring", carrier)).inFlight();
        }
        return sum;
    }

    /** Buffers of the rings that the kernel has not got at the moment; 0 where it can't tell. */
    public static int buffersTaken() {
        int sum = 0;
        for (Carrier carrier : carriers()) {
            var ring = (Ring) field(Carrier.class, "ring", carrier);
            Object buffers = field(Ring.class, "buffers", ring);
            int provided = (Integer) field(buffers.getClass(), "tail", buffers);
            sum += taken(ring.fd(), provided, (Integer) field(buffers.getClass(), "BUFFERS", null));
        }
        return sum;
    }

    /** By {@code struct io_uring_buf_status}: the group, the kernel's head, and room. */
    private static int taken(int ringFd, int tail, int buffers) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(40, Long.BYTES);
            int result =
                    Native.lu_io_uring_register(
                            ringFd, IORING_REGISTER_PBUF_STATUS, status.address(), 1);
            int head = status.get(ValueLayout.JAVA_INT, 4);
            return result < 0 ? 0 : buffers - ((tail - head) & 0xffff);
        }
    }

    /** Descriptors that the carriers have for themselves; spares may start at any time. */
    public static Set<Integer> descriptors() {
        var all = new HashSet<Integer>();
        for (Carrier carrier : carriers()) {
            all.add(((Ring) field(Carrier.class, "ring", carrier)).fd());
            Object wakeup = field(Carrier.class, "wakeup", carrier);
            all.add((Integer) field(wakeup.getClass(), "eventFd", wakeup));
        }
        return all;
    }

    /** Those that are wanted; spares not counted. */
    static int carrierCount() {
        return group().getParallelism();
    }

    private static CarrierGroup group() {
        return (CarrierGroup) field(LoomUring.class, "group", null);
    }

    private static Carrier[] carriers() {
        Object roster = field(CarrierGroup.class, "roster", group());
        return (Carrier[]) field(roster.getClass(), "all", roster);
    }

    private static Object field(Class<?> holder, String name, Object object) {
        try {
            Field field = holder.getDeclaredField(name);
            field.setAccessible(true);
            return field.get(object);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no field " + name, e);
        }
    }
}
