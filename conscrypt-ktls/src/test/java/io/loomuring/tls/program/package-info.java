/** Programs that tests start in a JVM of their own. */
package io.loomuring.tls.program;
