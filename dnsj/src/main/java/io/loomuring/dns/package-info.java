/**
 * Owns: names and addresses: glibc's configuration files, questions to servers, a cache, the order
 * of addresses; the JDK's {@link java.net.spi.InetAddressResolver}.
 *
 * <p>Threads: a look-up runs on the thread that asks, all of it, so that a virtual thread which is
 * pinned to its carrier waits for no other one; many that ask the same wait for the first, and
 * those of a burst for their turn ({@code Window}). Anything public may be called by any thread.
 *
 * <p>May import: the JDK, dnsjava, and {@code ConfigFile} loom-uring's {@code RingFile}. The
 * sockets are the JDK's plain blocking ones, which are io_uring's where loom-uring runs.
 *
 * <p>Start reading at {@link io.loomuring.dns.Dnsj}, then {@code Lookups}, {@code Upstream} and
 * {@code Exchange}.
 */
package io.loomuring.dns;
