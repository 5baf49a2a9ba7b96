package io.loomuring.it.soak;

/** Something was lost, doubled, changed or late beyond all limits: no fault excuses it. */
final class Violation extends Exception {
    private static final long serialVersionUID = 1L;

    Violation(String message) {
        super(message);
    }
}
