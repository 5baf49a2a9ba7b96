/**
 * Owns: what users name: the agent, the provider, {@link io.loomuring.LoomUring}, the command, the
 * properties.
 *
 * <p>Threads: installing happens once, on the thread that asks first. May import: everything of
 * ours. Start reading at {@link io.loomuring.LoomUring}.
 */
package io.loomuring;
