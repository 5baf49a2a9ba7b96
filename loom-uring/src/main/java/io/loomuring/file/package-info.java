/**
 * Owns: files as Java sees them, read and written at positions: {@link io.loomuring.file.RingFile}.
 *
 * <p>Threads: none of its own but for an open that has to wait ({@code BlockingOpen}); any thread
 * may call, any number at a time on one file. May import: {@code carrier} (the I/O), {@code
 * ring.Op}, {@code abi}, {@code jdk}. Start reading at {@code UringFile}.
 */
package io.loomuring.file;
