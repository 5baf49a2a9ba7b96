package io.loomuring.tls;

import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a test, or each test of a class, tries with a peer: a line of the table of a run. */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ExtendWith(InteropTable.class)
@interface Interop {
    /** With whom. */
    Peer peer();

    /** What is tried. */
    String what();
}
