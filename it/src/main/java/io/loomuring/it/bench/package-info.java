/**
 * The benchmark: echo servers on some cores, a load on another, in interleaved rounds.
 *
 * <p>Owns: starting and ending the servers and the load (each a process), the order of the rounds,
 * the figures and the reports. Threads: one, and one that reads each child's output. May import:
 * the JDK and picocli; nothing of loom-uring, which is measured from outside like any other server.
 * Start reading at {@code Bench}, then {@code Comparison}.
 */
package io.loomuring.it.bench;
