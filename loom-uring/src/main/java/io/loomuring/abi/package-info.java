/**
 * Owns: the kernel's ABI (io_uring, sockets, errno) under the headers' own names, and the calls of
 * the native shim.
 *
 * <p>Threads: none of its own; constants and stateless calls. May import: nothing of ours. Start
 * reading at {@link io.loomuring.abi.Shim}.
 */
package io.loomuring.abi;
