package io.loomuring.it;

import io.loomuring.LoomUring;
import io.loomuring.carrier.Carrier;
import io.loomuring.carrier.CarrierGroup;
import io.loomuring.ring.Ring;

import java.lang.reflect.Field;

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

    static int carrierCount() {
        return carriers().length;
    }

    private static Carrier[] carriers() {
        return (Carrier[])
                field(CarrierGroup.class, "carriers", field(LoomUring.class, "group", null));
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
