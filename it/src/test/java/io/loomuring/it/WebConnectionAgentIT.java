package io.loomuring.it;

import org.junit.jupiter.api.extension.ExtendWith;

/** On the rings, servers and clients. */
@ExtendWith(OnRings.class)
class WebConnectionAgentIT extends WebConnectionChecks {}
