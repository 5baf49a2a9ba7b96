/**
 * Programs for child JVMs: they know nothing of loom-uring, except for those that install it, and
 * end by themselves or with their standard input.
 */
package io.loomuring.it.program;
