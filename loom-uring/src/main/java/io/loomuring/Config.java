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
 * @param carriersMax carrier threads that may be asked for later
 * @param stealing whether idle carriers take tasks of busy ones
 * @param entries submission queue entries of a ring, a power of two
 * @param ringFlags {@code IORING_SETUP_*} of a ring
 * @param sqIdleMillis how long the kernel thread that submits for all rings polls without work
 *     before it sleeps; 0: there is none
 * @param tlsDefault whether LoomUringTLS is to be the JVM's default provider of TLS
 * @param kernelTls whether the kernel may take TLS records over
 * @param kernelTlsZeroCopy whether files that are sent through it are promised not to change
 * @param kernelTlsNoPad whether peers are promised not to pad their records
 * @param report whether the JVM's exit prints what the rings did
 */
public record Config(
        Mode mode,
        int carriers,
        int carriersMax,
        boolean stealing,
        int entries,
        int ringFlags,
        int sqIdleMillis,
        boolean tlsDefault,
        boolean kernelTls,
        boolean kernelTlsZeroCopy,
        boolean kernelTlsNoPad,
        boolean report) {

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
    private static final String SQPOLL = PREFIX + "sqpoll";
    private static final String TLS = PREFIX + "tls";
    private static final String KTLS = PREFIX + "ktls";
    private static final String KTLS_ZERO_COPY = KTLS + ".zeroCopy";
    private static final String KTLS_NO_PAD = KTLS + ".noPad";
    private static final String REPORT = PREFIX + "report";
    private static final String JDK_PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

    private static final String JDK_POOL_SIZE_MAX = "jdk.virtualThreadScheduler.maxPoolSize";

    private static final int CARRIERS_MAX = 1024;
    private static final int JDK_POOL_SIZE_LIMIT = 32767; // of a ForkJoinPool
    private static final int ENTRIES_DEFAULT = 256;
    private static final int ENTRIES_MIN = 8;
    private static final int ENTRIES_MAX = 32768;
    private static final int SQ_IDLE_MILLIS_DEFAULT = 10; // no such thread sleeps under load
    private static final int SQ_IDLE_MILLIS_MAX = 60_000;

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
        int carriersMax = carriersMax(properties);
        int sqIdleMillis = readSqIdleMillis(properties);
        return new Config(
                readMode(properties),
                Math.min(
                        carriersMax,
                        readInt(
                                properties,
                                CARRIERS,
                                defaultCarriers(properties),
                                1,
                                CARRIERS_MAX)),
                carriersMax,
                readSwitch(properties, STEAL, true),
                powerOfTwo(
                        ENTRIES,
                        readInt(properties, ENTRIES, ENTRIES_DEFAULT, ENTRIES_MIN, ENTRIES_MAX)),
                readRingFlags(properties, sqIdleMillis > 0),
                sqIdleMillis,
                readTlsDefault(properties),
                readSwitch(properties, KTLS, true),
                readSwitch(properties, KTLS_ZERO_COPY, false),
                readSwitch(properties, KTLS_NO_PAD, false),
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

    /** The JDK's scheduler, too, has no more threads than this, whatever its parallelism. */
    private static int carriersMax(Properties properties) {
        int jdkMax = readInt(properties, JDK_POOL_SIZE_MAX, CARRIERS_MAX, 1, JDK_POOL_SIZE_LIMIT);
        return Math.min(jdkMax, CARRIERS_MAX);
    }

    private static int readInt(
            Properties properties, String name, int defaultValue, int min, int max) {
        String value = properties.getProperty(name);
        return value == null
                ? defaultValue
                : parseInt(name, value, min, max, "a number from " + min + " to " + max);
    }

    private static int parseInt(String name, String value, int min, int max, String wanted) {
        try {
            int number = Integer.parseInt(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the message below covers it
        }
        throw unusable(name, value, wanted);
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

    private static boolean readTlsDefault(Properties properties) {
        String value = properties.getProperty(TLS, "off");
        return switch (value) {
            case "default" -> true;
            case "off" -> false;
            default -> throw unusable(TLS, value, "default or off");
        };
    }

    private static int readSqIdleMillis(Properties properties) {
        String value = properties.getProperty(SQPOLL, "off");
        return switch (value) {
            case "on" -> SQ_IDLE_MILLIS_DEFAULT;
            case "off" -> 0;
            default ->
                    parseInt(
                            SQPOLL,
                            value,
                            1,
                            SQ_IDLE_MILLIS_MAX,
                            "on, off, or the milliseconds without work, from 1 to "
                                    + SQ_IDLE_MILLIS_MAX
                                    + ", after which the kernel's thread sleeps");
        };
    }

    private static int readRingFlags(Properties properties, boolean sqPoll) {
        String value = properties.getProperty(RING_FLAGS, sqPoll ? "none" : RING_FLAGS_DEFAULT);
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
        if (sqPoll && (defer || coop || flag)) {
            throw unusable(
                    RING_FLAGS,
                    value,
                    "none or SINGLE_ISSUER where "
                            + SQPOLL
                            + " is on: its thread runs all task work");
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
        values.put(JDK_POOL_SIZE_MAX, Integer.toString(carriersMax));
        values.put(STEAL, onOrOff(stealing));
        values.put(ENTRIES, Integer.toString(entries));
        values.put(RING_FLAGS, ringFlagNames());
        values.put(SQPOLL, sqIdleMillis == 0 ? "off" : Integer.toString(sqIdleMillis));
        values.put(TLS, tlsDefault ? "default" : "off");
        values.put(KTLS, onOrOff(kernelTls));
        values.put(KTLS_ZERO_COPY, onOrOff(kernelTlsZeroCopy));
        values.put(KTLS_NO_PAD, onOrOff(kernelTlsNoPad));
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
