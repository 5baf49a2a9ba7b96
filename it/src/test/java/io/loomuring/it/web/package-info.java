/**
 * Web servers and clients as applications have them, all with one site and one way of asking, so
 * that one set of checks fits each. They know nothing of loom-uring.
 */
package io.loomuring.it.web;
