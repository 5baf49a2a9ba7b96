package io.loomuring.it.bench;

/** How figures are written: three significant digits or so, and a dash for what is not known. */
final class Format {
    private static final String UNKNOWN = "-";

    private Format() {}

    static String figure(double value) {
        if (Double.isNaN(value)) {
            return UNKNOWN;
        }
        if (value < 10) {
            return "%.2f".formatted(value);
        }
        return (value < 100 ? "%.1f" : "%,.0f").formatted(value);
    }

    /** A quotient; a dash when either is not known. */
    static String ratio(double value, double of) {
        double ratio = value / of;
        return Double.isFinite(ratio) ? "%.2f".formatted(ratio) : UNKNOWN;
    }

    static String percent(double share) {
        return Double.isNaN(share) ? UNKNOWN : "%.0f %%".formatted(share * 100);
    }
}
