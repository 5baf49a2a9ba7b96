package io.loomuring.mute;

/** In place of {@code java.util.logging.Level}. */
public final class Level {
    private Level() {}

    public static final Level SEVERE = new Level();
    public static final Level WARNING = new Level();
    public static final Level INFO = new Level();
    public static final Level FINE = new Level();
    public static final Level FINER = new Level();
}
