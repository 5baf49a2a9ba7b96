/**
 * Everything at once: a workload whose every exchange is numbered, checked and counted, what goes
 * wrong around it ({@code FaultIT}), and what becomes of it after a while ({@code Soak}).
 *
 * <p>{@code Workload} and {@code Peer} are the two JVMs, each under the agent; {@code Scene} starts
 * and asks them. Start reading at {@code NumberedExchange}.
 */
package io.loomuring.it.soak;
