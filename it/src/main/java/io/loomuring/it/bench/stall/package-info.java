/**
 * What the benchmark runs to find out how long virtual threads that keep their carriers delay
 * others.
 *
 * <p>Owns: the ways to keep a carrier, and the threads that are delayed. Threads: its own. May
 * import: the JDK; nothing of loom-uring. Start reading at {@code StallProbe}.
 */
package io.loomuring.it.bench.stall;
