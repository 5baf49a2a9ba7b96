package io.loomuring;

import static io.loomuring.abi.IoUringAbi.*;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The properties, read once.
 *
 * @param mode what to do where io_uring can't be used
 * @param carriers carrier threads
 * @param stealing whether idle carriers take tasks of busy ones
 * @param entries submission queue entries of a ring, a power of two
 * @param ringFlags {@code IORING_SETUP_*} of a ring
 * @param report whether the JVM's exit prints what the rings did
 */
public record Config(
        Mode mode, int carriers, boolean stealing, int entries, int ringFlags, boolean report) {

    /** {@code loomuring.mode}. */
    public enum Mode {
        /** No io_uring: refuse to start. */
        REQUIRED,
        /** No io_uring: one line, then the JDK's own. */
        AUTO,
        /** Do nothing. */
        OFF
    }

    private static final String PREFIX = "loomuring.";
    private static final String MODE = PREFIX + "mode";
    private static final String CARRIERS = PREFIX + "carriers";
    private static final String STEAL = PREFIX + "steal";
    private static final String ENTRIES = PREFIX + "entries";
    private static final String RING_FLAGS = PREFIX + "ring.flags";
    private static final String REPORT = PREFIX + "report";
    private static final String JDK_PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

    private static final int CARRIERS_MAX = 1024;
    private static final int ENTRIES_DEFAULT = 256;
    private static final int ENTRIES_MIN = 8;
    private static final int ENTRIES_MAX = 32768;

    /** The flags that have a name in {@code loomuring.ring.flags}. */
    private static final Map<String, Integer> RING_FLAG_NAMES =
            new TreeMap<>(
                    Map.of(
                            "COOP_TASKRUN", IORING_SETUP_COOP_TASKRUN,
                            "TASKRUN_FLAG", IORING_SETUP_TASKRUN_FLAG,
                            "SINGLE_ISSUER", IORING_SETUP_SINGLE_ISSUER,
                            "DEFER_TASKRUN", IORING_SETUP_DEFER_TASKRUN));

    private static final String RING_FLAGS_DEFAULT = "COOP_TASKRUN,TASKRUN_FLAG";

    /**
     * Reads the system properties.
     *
     * @throws IllegalArgumentException if a value can't be used; the message names property, value
     *     and what would do
     */
    public static Config read(Properties properties) {
        return new Config(
                readMode(properties),
                readInt(properties, CARRIERS, defaultCarriers(properties), 1, CARRIERS_MAX),
                readSwitch(properties, STEAL, true),
                powerOfTwo(
                        ENTRIES,
                        readInt(properties, ENTRIES, ENTRIES_DEFAULT, ENTRIES_MIN, ENTRIES_MAX)),
                readRingFlags(properties),
                readSwitch(properties, REPORT, false));
    }

    private static Mode readMode(Properties properties) {
        String value = properties.getProperty(MODE, "auto");
        for (Mode mode : Mode.values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(value)) {
                return mode;
            }
        }
        throw unusable(MODE, value, "required, auto or off");
    }

    private static int defaultCarriers(Properties properties) {
        int processors = Runtime.getRuntime().availableProcessors();
        return readInt(properties, JDK_PARALLELISM, processors, 1, CARRIERS_MAX);
    }

    private static int readInt(
            Properties properties, String name, int defaultValue, int min, int max) {
        String value = properties.getProperty(name);
        if (value == null) {
            return defaultValue;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the message below covers it
        }
        throw unusable(name, value, "a number from " + min + " to " + max);
    }

    private static int powerOfTwo(String name, int number) {
        if (Integer.bitCount(number) != 1) {
            throw unusable(name, Integer.toString(number), "a power of two");
        }
        return number;
    }

    private static boolean readSwitch(Properties properties, String name, boolean defaultValue) {
        String value = properties.getProperty(name);
        if (value == null) {
            return defaultValue;
        }
        return switch (value) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw unusable(name, value, "on or off");
        };
    }

    private static int readRingFlags(Properties properties) {
        String value = properties.getProperty(RING_FLAGS, RING_FLAGS_DEFAULT);
        if (value.equals("none")) {
            return 0;
        }
        int flags = 0;
        for (String name : value.split(",", -1)) {
            Integer flag = RING_FLAG_NAMES.get(name);
            if (flag == null) {
                throw unusable(RING_FLAGS, value, "none, or some of " + RING_FLAG_NAMES.keySet());
            }
            flags |= flag;
        }
        boolean defer = (flags & IORING_SETUP_DEFER_TASKRUN) != 0;
        boolean coop = (flags & IORING_SETUP_COOP_TASKRUN) != 0;
        boolean single = (flags & IORING_SETUP_SINGLE_ISSUER) != 0;
        boolean flag = (flags & IORING_SETUP_TASKRUN_FLAG) != 0;
        if ((defer && !single) || (flag && !coop && !defer)) {
            throw unusable(
                    RING_FLAGS,
                    value,
                    "such that DEFER_TASKRUN comes with SINGLE_ISSUER, and TASKRUN_FLAG with"
                            + " COOP_TASKRUN or DEFER_TASKRUN");
        }
        return flags;
    }

    private static IllegalArgumentException unusable(String name, String value, String wanted) {
        return new IllegalArgumentException(
                "property " + name + " is \"" + value + "\", but must be " + wanted);
    }

    /** The ring's flags by name, as {@code loomuring.ring.flags} takes them. */
    public String ringFlagNames() {
        String names =
                RING_FLAG_NAMES.entrySet().stream()
                        .filter(flag -> (ringFlags & flag.getValue()) != 0)
                        .map(Map.Entry::getKey)
                        .collect(Collectors.joining(","));
        return names.isEmpty() ? "none" : names;
    }

    /** The values in effect by their properties' names, as a user would write them. */
    public Map<String, String> properties() {
        var values = new LinkedHashMap<String, String>();
        values.put(MODE, mode.name().toLowerCase(Locale.ROOT));
        values.put(CARRIERS, Integer.toString(carriers));
        values.put(STEAL, onOrOff(stealing));
        values.put(ENTRIES, Integer.toString(entries));
        values.put(RING_FLAGS, ringFlagNames());
        values.put(REPORT, onOrOff(report));
        return values;
    }

    private static String onOrOff(boolean value) {
        return value ? "on" : "off";
    }

    /** The values that {@code loomuring.mode} takes. */
    static String modes() {
        return Arrays.stream(Mode.values())
                .map(mode -> mode.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining("|"));
    }
}
