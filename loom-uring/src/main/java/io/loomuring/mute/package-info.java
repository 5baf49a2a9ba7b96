/**
 * Owns: what JNA uses of {@code java.util.logging}, without effect, for a JVM that lacks the module
 * {@code java.logging}. The length of the package's name is no accident: {@code abi.Jna} edits
 * class files in place.
 *
 * <p>Threads: none of its own; all is stateless. May import: nothing of ours.
 */
package io.loomuring.mute;
