package io.loomuring.carrier;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomuring.abi.Native;
import io.loomuring.internal.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import io.loomuring.stress.Pause;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A carrier goes to sleep while another thread brings it something, each by the steps of {@code
 * Carrier}. The first result: the carrier sees the message. The second: the other thread wakes it.
 */
public final class WakeupStress {
    private WakeupStress() {}

    private static final int NO_DESCRIPTOR = -1; // to signal it does nothing
    private static final int INBOX_CHUNK = 2;
    private static final Object MESSAGE = new Object();

    static {
        Native.load();
    }

    private static Wakeup newWakeup() {
        return new Wakeup(NO_DESCRIPTOR);
    }

    /** A carrier's inbox. */
    private static MpscUnboundedAtomicArrayQueue<Object> newInbox() {
        return new MpscUnboundedAtomicArrayQueue<>(INBOX_CHUNK);
    }

    private static int wakes(Wakeup wakeup) {
        return wakeup.wake() ? 1 : 0;
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "it sees it or is woken")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps on")
    @State
    public static class SleepAgainstSend {
        private final Wakeup wakeup = newWakeup();
        private final MpscUnboundedAtomicArrayQueue<Object> inbox = newInbox();

        @Actor
        public void carrier(II_Result result) {
            wakeup.prepareToSleep();
            result.r1 = inbox.isEmpty() ? 0 : 1;
        }

        @Actor
        public void sender(II_Result result) {
            inbox.offer(MESSAGE);
            VarHandle.fullFence();
            result.r2 = wakes(wakeup);
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "it sees it or is woken")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps on")
    @State
    public static class CarrierLooksTooEarlyBroken {
        private final Wakeup wakeup = newWakeup();
        private final MpscUnboundedAtomicArrayQueue<Object> inbox = newInbox();

        @Actor
        public void carrier(II_Result result) {
            result.r1 = inbox.isEmpty() ? 0 : 1;
            Pause.here();
            wakeup.prepareToSleep();
        }

        @Actor
        public void sender(II_Result result) {
            inbox.offer(MESSAGE);
            VarHandle.fullFence();
            result.r2 = wakes(wakeup);
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "it sees it or is woken")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps on")
    @State
    public static class SenderLooksTooEarlyBroken {
        private final Wakeup wakeup = newWakeup();
        private final MpscUnboundedAtomicArrayQueue<Object> inbox = newInbox();

        @Actor
        public void carrier(II_Result result) {
            wakeup.prepareToSleep();
            result.r1 = inbox.isEmpty() ? 0 : 1;
        }

        @Actor
        public void sender(II_Result result) {
            result.r2 = wakes(wakeup);
            Pause.here();
            inbox.offer(MESSAGE);
        }
    }

    /** What is brought has no fence of its own, as the run queue's tail has none. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "it sees it or is woken")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps on")
    @State
    public static class SleepAgainstRelease {
        private final Wakeup wakeup = newWakeup();
        private final AtomicReference<Object> slot = new AtomicReference<>();

        @Actor
        public void carrier(II_Result result) {
            wakeup.prepareToSleep();
            result.r1 = slot.getAcquire() == null ? 0 : 1;
        }

        @Actor
        public void sender(II_Result result) {
            slot.setRelease(MESSAGE);
            VarHandle.fullFence();
            result.r2 = wakes(wakeup);
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "it sees it or is woken")
    @Outcome(expect = FORBIDDEN, desc = "it sleeps on")
    @State
    public static class ReleaseWithoutFenceBroken {
        private final Wakeup wakeup = newWakeup();
        private final AtomicReference<Object> slot = new AtomicReference<>();

        @Actor
        public void carrier(II_Result result) {
            wakeup.prepareToSleep();
            result.r1 = slot.getAcquire() == null ? 0 : 1;
        }

        @Actor
        public void sender(II_Result result) {
            slot.setRelease(MESSAGE);
            result.r2 = wakes(wakeup);
        }
    }

    /** Two wake a carrier that sleeps. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one signal")
    @Outcome(expect = FORBIDDEN, desc = "none, or two")
    @State
    public static class WakeAgainstWake {
        private final Wakeup wakeup = newWakeup();

        public WakeAgainstWake() {
            wakeup.prepareToSleep();
        }

        @Actor
        public void first(II_Result result) {
            result.r1 = wakes(wakeup);
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = wakes(wakeup);
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one signal")
    @Outcome(expect = FORBIDDEN, desc = "none, or two")
    @State
    public static class WakeWithoutExchangeBroken {
        private final AtomicInteger sleeping = new AtomicInteger(1);

        private int wakes() {
            if (sleeping.get() == 1) {
                sleeping.set(0);
                return 1;
            }
            return 0;
        }

        @Actor
        public void first(II_Result result) {
            result.r1 = wakes();
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = wakes();
        }
    }
}
