package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Everything that a comparison has measured. */
final class Results {
    private final List<Sample> samples = new ArrayList<>();
    private final Map<Side, Long> ringOperations = new EnumMap<>(Side.class);
    private final Map<Side, Long> requests = new EnumMap<>(Side.class);

    void add(Sample sample) {
        samples.add(sample);
    }

    /** What a server counted from its start to its end, and what it was asked meanwhile. */
    void addTotals(Side side, long serverRingOperations, long serverRequests) {
        ringOperations.merge(side, serverRingOperations, Long::sum);
        requests.merge(side, serverRequests, Long::sum);
    }

    List<Sample> samples() {
        return Collections.unmodifiableList(samples);
    }

    long ringOperations(Side side) {
        return ringOperations.getOrDefault(side, 0L);
    }

    long requests(Side side) {
        return requests.getOrDefault(side, 0L);
    }

    List<Side> sides() {
        return samples.stream().map(Sample::side).distinct().sorted().toList();
    }

    List<Side> sidesOnRings() {
        return sides().stream().filter(Side::isOnRings).toList();
    }

    /** Proof that what is called loom-uring here ran on its rings. */
    String ringOperations() {
        return sidesOnRings().stream()
                .map(side ->
                        "%s reported %,d ring operations for %,d requests (%s a request)."
                                .formatted(
                                        side.label(),
                                        ringOperations(side),
                                        requests(side),
                                        Format.ratio(
                                                (double) ringOperations(side),
                                                (double) requests(side))))
                .collect(Collectors.joining("\n"));
    }

    List<Integer> connections() {
        return samples.stream().map(Sample::connections).distinct().sorted().toList();
    }

    Spread spread(Side side, int connections, ToDoubleFunction<Measurement> figure) {
        return Spread.of(
                samples.stream()
                        .filter(sample -> sample.side() == side)
                        .filter(sample -> sample.connections() == connections)
                        .map(Sample::measurement)
                        .mapToDouble(figure)
                        .toArray());
    }
}
