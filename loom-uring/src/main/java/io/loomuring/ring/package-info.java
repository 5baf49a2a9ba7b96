/**
 * Owns: one io_uring instance: its memory, its queues, the operations in flight, its provided
 * buffers.
 *
 * <p>Threads: a {@link io.loomuring.ring.Ring} is used by whoever holds its owner word, {@link
 * io.loomuring.ring.Op} by its claimer, the ring's owner and cancellers. May import: {@code abi}.
 * Start reading at the header of {@link io.loomuring.ring.Op}, then {@link io.loomuring.ring.Ring}.
 */
package io.loomuring.ring;
