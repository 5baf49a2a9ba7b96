package io.loomuring.it.soak;

/**
 * A straight line through a series, by least squares.
 *
 * @param perStep how much the line rises from one value to the next
 * @param error the standard error of that, by what the values are off the line
 * @param steps from the first value to the last
 */
record Slope(double perStep, double error, int steps) {
    /** With so many standard errors a series without a trend shows a rise once in 30,000 times. */
    private static final double ERRORS = 4;

    static Slope of(double[] values) {
        int n = values.length;
        if (n < 3) {
            throw new IllegalArgumentException("no line through " + n + " values");
        }
        double middle = (n - 1) / 2.0;
        double mean = 0;
        for (double value : values) {
            mean += value / n;
        }
        double xy = 0;
        double xx = 0;
        for (int i = 0; i < n; i++) {
            xy += (i - middle) * (values[i] - mean);
            xx += (i - middle) * (i - middle);
        }
        double slope = xy / xx;
        double off = 0;
        for (int i = 0; i < n; i++) {
            double distance = values[i] - mean - slope * (i - middle);
            off += distance * distance;
        }
        return new Slope(slope, Math.sqrt(off / (n - 2) / xx), n - 1);
    }

    /** How much the line rises from the first value to the last. */
    double rise() {
        return perStep * steps;
    }

    /** How much of that can't be chance. */
    double certainRise() {
        return Math.max(0, (perStep - ERRORS * error) * steps);
    }
}
