/**
 * Owns: what several tests need: waiting with a deadline, threads whose failures count, random
 * seeds, raw sockets, a kernel that refuses.
 *
 * <p>Threads: any. May import: {@code abi}. Start reading at {@link io.loomuring.testing.Running}.
 */
package io.loomuring.testing;
