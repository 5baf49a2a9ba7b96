package io.loomuring.it.soak;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A test's row in {@code docs/reliability.md}. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Fault {
    /** What goes wrong. */
    String value();

    /** What is promised of it, besides what is promised of all. */
    String promised();
}
