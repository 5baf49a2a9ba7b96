/**
 * Owns: counters and messages.
 *
 * <p>Threads: a counter has one writer at a time, the owner of its ring; readers see values that
 * may be a turn old. May import: nothing of ours. Start reading at {@link
 * io.loomuring.observe.Counters}.
 */
package io.loomuring.observe;
