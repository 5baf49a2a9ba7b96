package io.loomuring.it.bench.stall;

/** A template: {@link Hog} defines classes of these bytes, and so runs the initialiser. */
final class Initialised {
    private Initialised() {}

    static {
        Hog.BODY.get().run();
    }
}
