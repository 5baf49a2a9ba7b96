package io.loomuring.mute;

/** In place of {@code java.util.logging.Logger}: nobody listens. */
public final class Logger {
    private Logger() {}

    private static final Logger INSTANCE = new Logger();

    public static Logger getLogger(String name) {
        return INSTANCE;
    }

    public boolean isLoggable(Level level) {
        return false;
    }

    public void log(Level level, String message) {}

    public void log(Level level, String message, Object parameter) {}

    public void log(Level level, String message, Object[] parameters) {}

    public void log(Level level, String message, Throwable thrown) {}
}
