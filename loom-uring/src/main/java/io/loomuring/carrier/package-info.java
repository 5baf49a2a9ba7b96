/**
 * Owns: the carrier threads, their turn, run queues, wake-up, deadlines, and the scheduler that
 * they form together.
 *
 * <p>Threads: a {@link io.loomuring.carrier.Carrier} is a platform thread; what it shares with
 * others says so. May import: {@code ring}, {@code jdk}, {@code observe}, {@code abi}. Start
 * reading at {@code Carrier.turn()}.
 */
package io.loomuring.carrier;
