/** Programs for child JVMs: they know nothing of loom-uring, and end with their standard input. */
package io.loomuring.it.program;
