/**
 * Owns: sockets as Java sees them: the states of a connection, the life of its descriptor, buffers,
 * exceptions; selectors.
 *
 * <p>Threads: none of its own; any thread may call. A direction of a socket is used by the one
 * thread that claimed its {@code Op}; everything else about it changes under {@code stateLock}.
 * Nobody blocks with {@code stateLock} held.
 *
 * <p>May import: {@code carrier} (the I/O), {@code ring.Op}, {@code abi}, {@code jdk.SunNet}, and
 * the types of {@code sun.nio.ch} and {@code sun.net} that the JDK's selectors, keys and sockets
 * know.
 *
 * <p>Start reading at {@link io.loomuring.net.StreamSocket}, then {@link
 * io.loomuring.net.UringSocketChannel}.
 */
package io.loomuring.net;
