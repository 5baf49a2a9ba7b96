package io.loomuring.dns;

import org.slf4j.LoggerFactory;

/** dnsjava logs by SLF4J, at debug level. */
final class Slf4j {
    private Slf4j() {}

    private static final String SERVICE = "META-INF/services/org.slf4j.spi.SLF4JServiceProvider";
    private static final String VERBOSITY = "slf4j.internal.verbosity";

    /**
     * To be called before any class of dnsjava is loaded and while no lock is held: it may start
     * the program's logging, which may look names up, on this thread or another. Where there is no
     * logging to start, SLF4J is kept from complaining about it.
     *
     * @throws LinkageError if it isn't there, or doesn't fit
     */
    static void start() {
        boolean quiet =
                Slf4j.class.getClassLoader().getResource(SERVICE) == null
                        && System.getProperty(VERBOSITY) == null;
        if (quiet) {
            System.setProperty(VERBOSITY, "ERROR");
        }
        try {
            LoggerFactory.getILoggerFactory();
        } finally {
            if (quiet) {
                System.clearProperty(VERBOSITY);
            }
        }
    }
}
