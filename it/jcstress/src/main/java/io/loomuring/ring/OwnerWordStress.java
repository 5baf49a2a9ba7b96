package io.loomuring.ring;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomuring.abi.Native;
import io.loomuring.stress.Pause;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A carrier and rescuers want the ring. The first result: how many changes it shows; the second:
 * how many rescuers got it.
 */
public final class OwnerWordStress {
    private OwnerWordStress() {}

    static {
        Native.load(); // to yield while the other has it
    }

    private static OwnerWord newOwnerWord() {
        return new OwnerWord();
    }

    /** Plain fields, as the ring's own are: whoever changes them at the same time is lost. */
    private static final class Changes {
        private int count;

        void change() {
            int before = count;
            Pause.here();
            count = before + 1;
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one after the other")
    @Outcome(expect = FORBIDDEN, desc = "both at once")
    @State
    public static class AcquireAgainstRescue {
        private final OwnerWord owner = newOwnerWord();
        private final Changes ring = new Changes();
        private int rescued;

        @Actor
        public void carrier() {
            if (owner.acquire(OwnerWord.FILLING)) {
                ring.change();
                owner.release();
            }
        }

        @Actor
        public void rescuer() {
            if (owner.tryRescue()) {
                ring.change();
                rescued = 1;
                owner.release();
            }
        }

        @Arbiter
        public void all(II_Result result) {
            result.r1 = ring.count;
            result.r2 = rescued;
        }
    }

    /** The rescuer looks, and then takes. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one after the other")
    @Outcome(expect = FORBIDDEN, desc = "both at once")
    @State
    public static class RescueWithoutExchangeBroken {
        private static final int SPINS = 1000;
        private final AtomicInteger word = new AtomicInteger();
        private final Changes ring = new Changes();
        private int rescued;

        @Actor
        public void carrier() {
            for (int i = 0; i < SPINS && !word.compareAndSet(0, 1); i++) {
                Thread.onSpinWait();
            }
            ring.change();
            word.setRelease(0);
        }

        @Actor
        public void rescuer() {
            if (word.get() == 0) {
                Pause.here();
                word.set(2);
                ring.change();
                rescued = 1;
                word.setRelease(0);
            }
        }

        @Arbiter
        public void all(II_Result result) {
            result.r1 = ring.count;
            result.r2 = rescued;
        }
    }

    /** The word is given back before the last change. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one after the other")
    @Outcome(expect = FORBIDDEN, desc = "both at once")
    @State
    public static class ReleaseTooEarlyBroken {
        private final OwnerWord owner = newOwnerWord();
        private final Changes ring = new Changes();
        private int rescued;

        @Actor
        public void carrier() {
            owner.acquire(OwnerWord.FILLING);
            owner.release();
            ring.change();
        }

        @Actor
        public void rescuer() {
            if (owner.tryRescue()) {
                rescued = 1;
                owner.release();
                ring.change();
            }
        }

        @Arbiter
        public void all(II_Result result) {
            result.r1 = ring.count;
            result.r2 = rescued;
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 1", "2, 2"},
            expect = ACCEPTABLE,
            desc = "one after the other, or one only")
    @Outcome(expect = FORBIDDEN, desc = "both at once, or neither")
    @State
    public static class RescueAgainstRescue {
        private final OwnerWord owner = newOwnerWord();
        private final Changes ring = new Changes();
        private final AtomicInteger rescued = new AtomicInteger();

        private void rescue() {
            if (owner.tryRescue()) {
                ring.change();
                rescued.incrementAndGet();
                owner.release();
            }
        }

        @Actor
        public void first() {
            rescue();
        }

        @Actor
        public void second() {
            rescue();
        }

        @Arbiter
        public void all(II_Result result) {
            result.r1 = ring.count;
            result.r2 = rescued.get();
        }
    }
}
