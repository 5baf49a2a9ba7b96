package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.loomuring.it.program.Beating;

import org.junit.jupiter.api.Test;

import java.util.stream.Stream;

/** A pause of the whole process is no carrier's fault: nobody takes over for it. */
class PauseIT {
    private static final int PAUSES = 5;
    private static final long STOPPED_MILLIS = 500;
    private static final long GC_PAUSE_MILLIS_MIN = 100;

    /** A machine with other work may stop a carrier at any time; not at each pause. */
    private static final int STALLS_MAX = PAUSES / 2;

    private record Report(long stalls, long spares, long pauseMillis) {
        static Report of(Child child, String command) {
            child.tell(command);
            long[] numbers =
                    Stream.of(child.nextLine().split(" ")).mapToLong(Long::parseLong).toArray();
            return new Report(numbers[0], numbers[1], numbers[2]);
        }
    }

    private static Child start(int millionsOfObjects, String... options) {
        Child child =
                Child.program(
                        Child.agent(options), Beating.class, Integer.toString(millionsOfObjects));
        assertThat(child.nextLine()).isEqualTo("beats");
        return child;
    }

    @Test
    void callsNoSparesWhenTheProcessIsStopped() throws Exception {
        try (Child child = start(0, "-Dloomuring.carriers=2")) {
            Report before = Report.of(child, "");
            for (int i = 0; i < PAUSES; i++) {
                child.signal("STOP");
                Thread.sleep(STOPPED_MILLIS); // it is what the test is about
                child.signal("CONT");
                Report pause = Report.of(child, "");
                assertThat(pause.pauseMillis()).isGreaterThanOrEqualTo(STOPPED_MILLIS / 2);
            }
            expectFewStalls(before, Report.of(child, ""));
        }
    }

    @Test
    void callsNoSparesWhenGarbageIsCollected() {
        try (Child child = start(12, "-Dloomuring.carriers=2", "-XX:+UseSerialGC", "-Xmx1500m")) {
            Report before = Report.of(child, "");
            for (int i = 0; i < PAUSES; i++) {
                Report pause = Report.of(child, "gc");
                System.out.println("pause of " + pause.pauseMillis() + " ms");
                assumeThat(pause.pauseMillis())
                        .as("the collector's pause")
                        .isGreaterThan(GC_PAUSE_MILLIS_MIN);
            }
            expectFewStalls(before, Report.of(child, ""));
        }
    }

    private static void expectFewStalls(Report before, Report after) {
        System.out.println(before + " to " + after);
        assertThat(after.stalls() - before.stalls()).isLessThanOrEqualTo(STALLS_MAX);
        assertThat(after.spares() - before.spares()).isLessThanOrEqualTo(STALLS_MAX);
    }
}
