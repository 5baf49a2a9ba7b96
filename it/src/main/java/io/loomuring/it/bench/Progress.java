package io.loomuring.it.bench;

import java.util.function.Consumer;

/** A line for each measurement, as soon as it is there. */
record Progress(int rounds) implements Consumer<Sample> {
    /** The share of a core that other processes may use before a measurement deserves a remark. */
    private static final double DISTURBED = 0.1;

    @Override
    public void accept(Sample sample) {
        Measurement measurement = sample.measurement();
        System.out.printf(
                "round %d of %d  %-18s %5d connections  %6s us CPU  %5s system calls"
                        + "  %8s requests/s  p50 %5s us%s%n",
                sample.round(),
                rounds,
                sample.side().label(),
                sample.connections(),
                Format.figure(measurement.serverCpuMicros()),
                Format.figure(measurement.systemCalls()),
                Format.figure(measurement.requestsPerSecond()),
                Format.figure(measurement.p50Micros()),
                remark(measurement));
    }

    /** What to say of a measurement that other processes disturbed. */
    static String remark(Measurement measurement) {
        double others = measurement.othersCores();
        return others < DISTURBED
                ? ""
                : "  (disturbed: others used %s of a core)".formatted(Format.percent(others));
    }
}
