package io.loomuring.it.bench;

/** A measurement and where it belongs. */
record Sample(Side side, int round, int connections, Measurement measurement) {}
