package io.loomuring.it;

import io.loomuring.LoomUring;
import io.loomuring.carrier.Carrier;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.ring.Ring;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.Set;

/** Looks into the rings from outside, at moments when nothing is under way. */
final class RingSlots {
    private RingSlots() {}

    /** Operations that hold a slot of a ring, all rings together. */
    static int inUse() {
        int sum = 0;
        for (Carrier carrier : carriers()) {
            sum += ((Ring) field(Carrier.class, "ring", carrier)).inFlight();
        }
        return sum;
    }

    /** Descriptors that the carriers have for themselves; spares may start at any time. */
    static Set<Integer> descriptors() {
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
