/**
 * Owns: everything that touches the JDK's internals: the hooks of scheduler and sockets, the opened
 * packages, the socket helpers of {@code sun.nio.ch}.
 *
 * <p>Threads: none of its own. May import: {@code abi}. Nobody else says {@code setAccessible} or
 * imports {@code jdk.internal} (the supertypes of carrier and channels excepted). Start reading at
 * {@link io.loomuring.jdk.JdkInternals}.
 */
package io.loomuring.jdk;
