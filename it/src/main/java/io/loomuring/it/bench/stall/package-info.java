/**
 * What the benchmark runs to find out how long virtual threads that keep their carriers delay
 * others, and what timed parks cost.
 *
 * <p>Owns: the ways to keep a carrier, the threads that are delayed, and those that sleep. Threads:
 * its own. May import: the JDK; nothing of loom-uring. Start reading at {@code StallProbe}; {@code
 * TimerProbe} is a program of its own.
 */
package io.loomuring.it.bench.stall;
