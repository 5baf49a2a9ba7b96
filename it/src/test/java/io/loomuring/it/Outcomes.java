package io.loomuring.it;

import java.util.concurrent.atomic.LongAdder;

/** How races between cancel and completion ended, and what was wrong. */
final class Outcomes {
    /** Cancelled, and the operation completed all the same. */
    final LongAdder cancelCameTooLate = new LongAdder();

    /** Cancelled, and what would have completed the operation was there a moment later. */
    final LongAdder completionCameTooLate = new LongAdder();

    /** Cancelled, and nothing else was near. */
    final LongAdder cancelAlone = new LongAdder();

    /** Completed, and nobody cancelled. */
    final LongAdder completionAlone = new LongAdder();

    final FirstFailure failure = new FirstFailure();

    long cancels() {
        return cancelCameTooLate.sum() + completionCameTooLate.sum() + cancelAlone.sum();
    }

    @Override
    public String toString() {
        return "%,d cancels (%,d came too late, %,d before data that was near, %,d alone), %,d others"
                .formatted(
                        cancels(),
                        cancelCameTooLate.sum(),
                        completionCameTooLate.sum(),
                        cancelAlone.sum(),
                        completionAlone.sum());
    }
}
