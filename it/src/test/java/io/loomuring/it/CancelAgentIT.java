package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.ring.Op;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * Cancel, interrupt and deadline against completion, at the level of operations on descriptors: the
 * memory of an operation is the kernel's until its final completion, and nobody's twice.
 */
@ExtendWith(OnRings.class)
class CancelAgentIT {
    private static final int CANCELS = Settings.size(150_000, 1_000_000);
    private static final int LOST_EACH_WAY = Settings.size(1_500, 10_000);

    private static final int RECEIVERS = 64;

    private final Outcomes outcomes = new Outcomes();
    private final SplittableRandom random = Settings.random("cancel");
    private final Contest contest = new Contest(outcomes, random);

    @Test
    void losesNoByteAndWritesToNoReturnedBufferWhenReceivesAreCancelled() {
        var receivers = new CancelledReceiver[RECEIVERS];
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < RECEIVERS; i++) {
            receivers[i] = new CancelledReceiver(i % 2 == 0, random.split(), outcomes);
            // not of a platform thread's system call: cancel may mean its descriptor's end only
            ThreadKind kind = i % 8 == 0 ? ThreadKind.FOREIGN : ThreadKind.VIRTUAL;
            threads.add(kind.unstarted("receiver " + i, receivers[i]));
        }
        long cancelsBefore = LoomUring.counters().cancels;
        contest.run(
                threads,
                receivers,
                List.of(ThreadKind.PLATFORM, ThreadKind.VIRTUAL),
                () ->
                        LoomUring.counters().cancels - cancelsBefore >= CANCELS
                                && outcomes.cancelCameTooLate.sum() >= LOST_EACH_WAY
                                && outcomes.completionCameTooLate.sum() >= LOST_EACH_WAY,
                CancelledReceiver::end);
    }

    @ParameterizedTest
    @EnumSource
    void refusesAReceiveThatWasCancelledBeforeItBegan(ThreadKind kind) {
        try (var receive = new VainReceive()) {
            Runnable task =
                    () ->
                            receive.run(
                                    op -> assertThat(op.cancel(Op.CLOSE)).isTrue(),
                                    VainReceive.NO_TIMEOUT);
            receive.awaitCancelled(kind.unstarted("receiver", task));
        }
    }

    @ParameterizedTest
    @EnumSource
    void endsAReceiveThatTimesOut(ThreadKind kind) {
        try (var receive = new VainReceive()) {
            receive.awaitCancelled(
                    kind.unstarted(
                            "receiver", () -> receive.run(op -> {}, VainReceive.TIMEOUT_NANOS)));
        }
    }

    @ParameterizedTest
    @EnumSource(names = "PLATFORM", mode = EnumSource.Mode.EXCLUDE) // as above
    void sendsExactlyWhatItReportsWhenSendsAreCancelled(ThreadKind kind) {
        int senders = RECEIVERS / 4;
        BooleanSupplier done =
                () ->
                        outcomes.failure.isThere()
                                || outcomes.completionCameTooLate.sum() >= LOST_EACH_WAY;
        var targets = new CancelledSender[senders];
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < senders; i++) {
            targets[i] = new CancelledSender(i % 2 == 0, random.split(), done, outcomes);
            threads.add(kind.unstarted("sender " + i, targets[i]));
            threads.add(ThreadKind.VIRTUAL.unstarted("drain " + i, targets[i]::drain));
        }
        contest.run(threads, targets, List.of(ThreadKind.PLATFORM), done, target -> {});
    }

    @ParameterizedTest
    @EnumSource
    void acceptsEachConnectionOnceWhenAcceptsAreCancelled(ThreadKind kind) {
        int acceptors = 8;
        var targets = Stream.generate(() -> new CancelledAcceptor(outcomes)).limit(acceptors);
        CancelledAcceptor[] all = targets.toArray(CancelledAcceptor[]::new);
        var threads = new ArrayList<Thread>();
        for (CancelledAcceptor acceptor : all) {
            threads.add(kind.unstarted("acceptor", acceptor));
        }
        contest.run(
                threads,
                all,
                List.of(ThreadKind.PLATFORM),
                () ->
                        outcomes.cancelCameTooLate.sum() >= LOST_EACH_WAY / 10
                                && outcomes.completionCameTooLate.sum() >= LOST_EACH_WAY / 10,
                CancelledAcceptor::end);
    }
}
