package io.loomuring.ring;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomuring.abi.Native;
import io.loomuring.observe.Counters;
import io.loomuring.stress.Pause;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

import java.util.concurrent.atomic.AtomicInteger;

/** An operation is cancelled while others submit it, complete it, or claim it anew. */
public final class CancelStress {
    private CancelStress() {}

    private static final int RESULT = 7;
    private static final int LOOKS = 20;
    private static final Ring HOME = newRing();

    private static Ring newRing() {
        Native.load();
        try {
            return new Ring(8, 16, 0, new Counters(), CancelStress::remember);
        } catch (RingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** On the canceller's thread, in a field that nobody else needs here. */
    private static void remember(Op.Cancel request) {
        request.op().off = request.claim();
    }

    /** The first claim of an operation. */
    private static Op claimed() {
        var op = new Op(_ -> {});
        op.tryClaim();
        return op;
    }

    private static Op submitted() {
        var op = claimed();
        op.submitting(HOME);
        return op;
    }

    /** Returns the claim that the home ring is asked to cancel, or 0. */
    private static int cancel(Op op) {
        op.cancel(Op.CLOSE);
        return (int) op.off;
    }

    /** The first result: the submission is refused. The second: the ring is asked to cancel it. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "refused or cancelled")
    @Outcome(expect = FORBIDDEN, desc = "in flight, and nobody cancels it")
    @State
    public static class SubmitAgainstCancel {
        private final Op op = claimed();
        private final OwnerWord owner = new OwnerWord();

        @Actor
        public void submitter(II_Result result) {
            op.submitting(HOME);
            owner.acquire(OwnerWord.FILLING);
            result.r1 = op.isCancelled() ? 1 : 0;
            owner.release();
        }

        @Actor
        public void canceller(II_Result result) {
            result.r2 = cancel(op);
        }
    }

    /** The submitter doesn't take the owner word, whose fence it needs. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "refused or cancelled")
    @Outcome(expect = FORBIDDEN, desc = "in flight, and nobody cancels it")
    @State
    public static class SubmitWithoutFenceBroken {
        private final Op op = claimed();

        @Actor
        public void submitter(II_Result result) {
            op.submitting(HOME);
            result.r1 = op.isCancelled() ? 1 : 0;
        }

        @Actor
        public void canceller(II_Result result) {
            result.r2 = cancel(op);
        }
    }

    /** The submitter looks before it says that it submits. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "1, 1", "0, 1"},
            expect = ACCEPTABLE,
            desc = "refused or cancelled")
    @Outcome(expect = FORBIDDEN, desc = "in flight, and nobody cancels it")
    @State
    public static class SubmitterLooksTooEarlyBroken {
        private final Op op = claimed();
        private final OwnerWord owner = new OwnerWord();

        @Actor
        public void submitter(II_Result result) {
            owner.acquire(OwnerWord.FILLING);
            result.r1 = op.isCancelled() ? 1 : 0;
            op.submitting(HOME);
            owner.release();
        }

        @Actor
        public void canceller(II_Result result) {
            result.r2 = cancel(op);
        }
    }

    /** Two cancel: one of them only tells the ring. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one request")
    @Outcome(expect = FORBIDDEN, desc = "none, or two")
    @State
    public static class CancelAgainstCancel {
        private final Op op = submitted();

        private int asks(int reason) {
            op.cancel(reason);
            return op.cancelReason() == reason && op.off == 1 ? 1 : 0;
        }

        @Actor
        public void closer(II_Result result) {
            result.r1 = asks(Op.CLOSE);
        }

        @Actor
        public void interrupter(II_Result result) {
            result.r2 = asks(Op.INTERRUPT);
        }
    }

    /** An operation's words without its care: claims aren't counted, nothing is exchanged. */
    private static final class CarelessOp {
        static final int CLAIMED = 1;
        static final int SUBMITTED = 2;
        static final int BLOCKED = 3;
        final AtomicInteger state;
        final AtomicInteger cancelled = new AtomicInteger();
        int result;

        CarelessOp(int state) {
            this.state = new AtomicInteger(state);
        }

        /** Returns whether the ring is asked to cancel it. */
        int cancel() {
            if (cancelled.get() == 0 && state.get() == SUBMITTED) {
                cancelled.set(1);
                return 1;
            }
            return 0;
        }
    }

    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one request")
    @Outcome(expect = FORBIDDEN, desc = "none, or two")
    @State
    public static class CancelWithoutExchangeBroken {
        private final CarelessOp op = new CarelessOp(CarelessOp.SUBMITTED);

        @Actor
        public void closer(II_Result result) {
            result.r1 = op.cancel();
        }

        @Actor
        public void interrupter(II_Result result) {
            result.r2 = op.cancel();
        }
    }

    /**
     * The claim that is cancelled ends, and the next one begins. The first result: that one is
     * cancelled. The second: the claim that the ring is asked to cancel.
     */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0", "0, 0"},
            expect = ACCEPTABLE,
            desc = "the one or the other, or it had ended")
    @Outcome(expect = FORBIDDEN, desc = "meant for the one, it hits the other")
    @State
    public static class CancelAgainstNextClaim {
        private final Op op = submitted();

        @Actor
        public void claimer() {
            op.completed(RESULT);
            op.release();
            op.tryClaim();
        }

        @Actor
        public void canceller(II_Result result) {
            result.r2 = cancel(op);
        }

        @Arbiter
        public void then(II_Result result) {
            result.r1 = op.isCancelled() ? 1 : 0;
        }
    }

    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0", "0, 0"},
            expect = ACCEPTABLE,
            desc = "the one or the other, or it had ended")
    @Outcome(expect = FORBIDDEN, desc = "meant for the one, it hits the other")
    @State
    public static class CancelWithoutClaimBroken {
        private final CarelessOp op = new CarelessOp(CarelessOp.SUBMITTED);

        @Actor
        public void claimer() {
            op.state.set(CarelessOp.CLAIMED);
            op.cancelled.set(0);
        }

        @Actor
        public void canceller(II_Result result) {
            result.r2 = op.cancel();
        }

        @Arbiter
        public void then(II_Result result) {
            result.r1 = op.cancelled.get();
        }
    }

    /** The final CQE comes while the claimer looks. */
    @JCStressTest
    @Outcome(
            id = {"-1", "7"},
            expect = ACCEPTABLE,
            desc = "in flight, or the result")
    @Outcome(expect = FORBIDDEN, desc = "no result, although it has ended")
    @State
    public static class CompleteAgainstLook {
        private final Op op = submitted();

        @Actor
        public void ring() {
            op.completed(RESULT);
        }

        @Actor
        public void claimer(I_Result result) {
            for (int i = 0; i < LOOKS && op.inFlight(); i++) {
                Thread.onSpinWait();
            }
            result.r1 = op.inFlight() ? -1 : op.result();
        }
    }

    @JCStressTest
    @Outcome(
            id = {"-1", "7"},
            expect = ACCEPTABLE,
            desc = "in flight, or the result")
    @Outcome(expect = FORBIDDEN, desc = "no result, although it has ended")
    @State
    public static class CompleteWordFirstBroken {
        private final CarelessOp op = new CarelessOp(CarelessOp.SUBMITTED);

        @Actor
        public void ring() {
            op.state.set(CarelessOp.CLAIMED);
            op.result = RESULT;
        }

        @Actor
        public void claimer(I_Result result) {
            for (int i = 0; i < LOOKS && op.state.get() == CarelessOp.SUBMITTED; i++) {
                Thread.onSpinWait();
            }
            result.r1 = op.state.get() == CarelessOp.SUBMITTED ? -1 : op.result;
        }
    }

    /**
     * A thread is got out of a system call. The first result: it makes the call. The second: its
     * descriptor was used by the canceller, and is closed already if 2.
     */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "open while the canceller uses it")
    @Outcome(expect = FORBIDDEN, desc = "closed while the canceller uses it")
    @State
    public static class BlockAgainstKick implements Op.Kicker {
        private final Op op = claimed();
        private volatile boolean closed;
        private int used;

        @Actor
        public void claimer(II_Result result) {
            if (op.beginBlocking(this, 0, 0)) {
                result.r1 = 1;
                op.endBlocking();
            }
            closed = true;
        }

        @Actor
        public void canceller(II_Result result) {
            op.cancel(Op.CLOSE);
            result.r2 = used;
        }

        @Override
        public void kick(int fd, long thread) {
            used = closed ? 2 : 1;
        }
    }

    /** The thread leaves without a look at the canceller. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "open while the canceller uses it")
    @Outcome(expect = FORBIDDEN, desc = "closed while the canceller uses it")
    @State
    public static class KickWithoutStateBroken {
        private final CarelessOp op = new CarelessOp(CarelessOp.CLAIMED);
        private volatile boolean closed;

        @Actor
        public void claimer(II_Result result) {
            op.state.set(CarelessOp.BLOCKED);
            result.r1 = 1 - op.cancelled.get();
            op.state.set(CarelessOp.CLAIMED);
            closed = true;
        }

        @Actor
        public void canceller(II_Result result) {
            op.cancelled.set(1);
            if (op.state.get() == CarelessOp.BLOCKED) {
                Pause.here();
                result.r2 = closed ? 2 : 1;
            }
        }
    }
}
