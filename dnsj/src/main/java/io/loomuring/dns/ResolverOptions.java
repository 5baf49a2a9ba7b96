package io.loomuring.dns;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.function.Consumer;

/**
 * The properties of the JVM's resolver, read once.
 *
 * @param on whether dnsj is to resolve
 * @param builder set up as they say
 */
record ResolverOptions(boolean on, Dnsj.Builder builder) {
    private static final String PREFIX = "loomuring.dns";

    /**
     * Reads.
     *
     * @throws IllegalArgumentException if a value can't be used; the message names it
     */
    static ResolverOptions read(Properties properties) {
        Dnsj.Builder builder = Dnsj.builder();
        file(properties, "resolvConf", builder::resolvConf);
        file(properties, "hosts", builder::hosts);
        file(properties, "nsswitch", builder::nsSwitch);
        String port = properties.getProperty(PREFIX + ".port");
        if (port != null) {
            builder.port(number("port", port));
        }
        String stale = properties.getProperty(PREFIX + ".stale");
        if (stale != null) {
            builder.stale(Duration.ofSeconds(number("stale", stale)));
        }
        builder.randomCase(isOn(properties, PREFIX + ".randomCase", false));
        return new ResolverOptions(isOn(properties, PREFIX, true), builder);
    }

    /** Null where dnsj is not to resolve. */
    Dnsj open() {
        return on ? builder.build() : null;
    }

    private static void file(Properties properties, String name, Consumer<Path> setting) {
        String value = properties.getProperty(PREFIX + '.' + name);
        if (value != null) {
            try {
                setting.accept(Path.of(value));
            } catch (InvalidPathException e) {
                throw unusable(PREFIX + '.' + name, value, "the name of a file");
            }
        }
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw unusable(PREFIX + '.' + name, value, "a number");
        }
    }

    private static boolean isOn(Properties properties, String name, boolean usual) {
        String value = properties.getProperty(name);
        if (value == null) {
            return usual;
        }
        return switch (value) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw unusable(name, value, "on or off");
        };
    }

    private static IllegalArgumentException unusable(String name, String value, String wanted) {
        return new IllegalArgumentException(
                "property " + name + " is \"" + value + "\", but must be " + wanted);
    }
}
