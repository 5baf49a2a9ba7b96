/** Programs that the tests run in containers; plain blocking code. They know no class of ours. */
package io.loomuring.it.containers.program;
