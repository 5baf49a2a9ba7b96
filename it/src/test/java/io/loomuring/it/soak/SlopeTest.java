package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

class SlopeTest {
    private static final int VALUES = 30;

    /** Values that rise by so much a step, and vary by up to so much. */
    private static double[] series(double rise, double noise, long seed) {
        var random = new SplittableRandom(seed);
        return IntStream.range(0, VALUES)
                .mapToDouble(i -> 100 + i * rise + (random.nextDouble() - 0.5) * noise)
                .toArray();
    }

    @Test
    void shouldFindALine() {
        Slope slope = Slope.of(series(0.5, 0, 1));
        assertThat(slope.rise()).isCloseTo(0.5 * (VALUES - 1), within(1e-9));
        assertThat(slope.error()).isCloseTo(0, within(1e-9));
    }

    @Test
    void shouldBeSureOfARiseThatIsMoreThanTheNoise() {
        for (long seed = 0; seed < 100; seed++) {
            assertThat(Slope.of(series(0.5, 6, seed)).certainRise()).isPositive();
        }
    }

    @Test
    void shouldNotTakeNoiseForARise() {
        for (long seed = 0; seed < 100; seed++) {
            assertThat(Slope.of(series(0, 20, seed)).certainRise()).isZero();
            assertThat(Slope.of(series(-1, 20, seed)).certainRise()).isZero();
        }
    }
}
