package io.loomuring.it;

/** On the JDK's own: what the checks ask for is what it does. */
class WebExchangeIT extends WebExchangeChecks {}
