package io.loomuring.it.web;

/** What connects client and server. */
public enum Wire {
    TCP,
    TLS,
    UNIX
}
