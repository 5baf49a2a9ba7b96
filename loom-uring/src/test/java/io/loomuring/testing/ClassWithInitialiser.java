package io.loomuring.testing;

/** A template: {@link Pin} defines classes of these bytes, and so runs the initialiser. */
final class ClassWithInitialiser {
    private ClassWithInitialiser() {}

    static {
        Pin.BODY.get().run();
    }
}
