package io.loomuring.it;

import io.loomuring.ring.Op;

import jdk.internal.vm.Continuation;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;
import java.util.SplittableRandom;

/** A virtual thread that can't leave its carrier waits for an operation, and so blocks both. */
@ExtendWith(OnRings.class)
class PinnedAgentIT {
    private static final int CANCELS = Settings.size(100, 1_000);

    @Test
    void isCancelledAtRandomAsAnyOther() {
        SplittableRandom random = Settings.random("pinned");
        var outcomes = new Outcomes();
        var receiver = new CancelledReceiver(true, random.split(), outcomes);
        new Contest(outcomes, random)
                .run(
                        List.of(pinned(receiver)),
                        new CancelledReceiver[] {receiver},
                        List.of(ThreadKind.PLATFORM),
                        () -> outcomes.cancels() >= CANCELS,
                        CancelledReceiver::end);
    }

    @Test
    void timesOut() {
        try (var receive = new VainReceive()) {
            receive.awaitCancelled(pinned(() -> receive.run(op -> {}, VainReceive.TIMEOUT_NANOS)));
        }
    }

    @Test
    void isCancelledByAnotherThread() {
        try (var receive = new VainReceive()) {
            Thread receiver = pinned(() -> receive.run(op -> {}, VainReceive.NO_TIMEOUT));
            receiver.start();
            receive.awaitInFlight();
            receive.op().cancel(Op.CLOSE);
            receive.awaitCancelled(receiver);
        }
    }

    @Test
    void isInterrupted() {
        try (var receive = new VainReceive()) {
            Thread receiver = pinned(() -> receive.run(op -> {}, VainReceive.NO_TIMEOUT));
            receiver.start();
            receive.awaitInFlight();
            receiver.interrupt();
            receive.awaitCancelled(receiver);
        }
    }

    @Test
    void letsThreadsBeginThatOthersStartMeanwhile() {
        try (var receive = new VainReceive()) {
            Thread receiver = pinned(() -> receive.run(op -> {}, VainReceive.NO_TIMEOUT));
            receiver.start();
            receive.awaitInFlight();
            for (int i = 0;
                    i < 2 * RingSlots.carrierCount();
                    i++) { // one for each carrier at least
                Thread other = Thread.ofVirtual().start(() -> {});
                Patience.join(List.of(other), Contest.END_WAIT);
            }
            receive.op().cancel(Op.CLOSE);
            receive.awaitCancelled(receiver);
        }
    }

    private static Thread pinned(Runnable task) {
        return ThreadKind.VIRTUAL.unstarted(
                "pinned",
                () -> {
                    Continuation.pin();
                    try {
                        task.run();
                    } finally {
                        Continuation.unpin();
                    }
                });
    }
}
