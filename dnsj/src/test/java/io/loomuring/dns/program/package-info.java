/** Programs that tests start in a JVM of their own, with the packed jar. */
package io.loomuring.dns.program;
