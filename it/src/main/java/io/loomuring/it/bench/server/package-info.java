/**
 * The Java servers that the benchmark measures, each a program of its own.
 *
 * <p>Owns: what a server does with a connection, and {@code ServerControl}, the questions that the
 * benchmark asks a running server. Threads: each server's own. May import: the JDK; Netty in {@code
 * NettyEchoServer} alone; nothing of loom-uring. Start reading at {@code EchoServer}.
 */
package io.loomuring.it.bench.server;
