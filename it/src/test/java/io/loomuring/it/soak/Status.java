package io.loomuring.it.soak;

import io.loomuring.it.Descriptors;
import io.loomuring.it.Patience;
import io.loomuring.it.RingSlots;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** What a JVM holds of all that must come back: read in it, told to the test as a line. */
final class Status {
    private Status() {}

    static final String DESCRIPTORS = "descriptors";
    static final String SLOTS = "slots";
    static final String RING_BUFFERS = "ringBuffers";
    static final String DIRECT_BUFFERS = "directBuffers";
    static final String PLATFORM_THREADS = "platformThreads";
    static final String VIRTUAL_THREADS = "virtualThreads";
    static final String HEAP_BYTES = "heapBytes";
    static final String RESIDENT_BYTES = "residentBytes";

    private static final Pattern VIRTUAL = Pattern.compile("(?m)^#\\d+ .*\\bvirtual\\b");

    /** Those come and go by themselves: spares, the common pool, what the JDK has for itself. */
    private static final Pattern OTHERS =
            Pattern.compile(
                    "loom-uring.*|ForkJoinPool.*|CompletableFutureDelayScheduler|Common-Cleaner"
                            + "|process reaper.*|.*Poller.*|VirtualThread-unblocker.*");

    /** Counts that must be what they were once nothing is under way. */
    static Map<String, Long> counts() {
        System.gc(); // a direct buffer's memory goes with the object
        var counts = new TreeMap<String, Long>();
        counts.put(DESCRIPTORS, (long) descriptors());
        counts.put(SLOTS, (long) RingSlots.inUse());
        counts.put(RING_BUFFERS, (long) RingSlots.buffersTaken());
        counts.put(DIRECT_BUFFERS, directBuffers());
        counts.put(PLATFORM_THREADS, platformThreads());
        counts.put(VIRTUAL_THREADS, virtualThreads());
        return counts;
    }

    /** What a soak looks at: cheap to read, but for the collection. */
    static Map<String, Long> amounts() {
        var amounts = new TreeMap<String, Long>();
        System.gc();
        amounts.put(HEAP_BYTES, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        amounts.put(
                RESIDENT_BYTES,
                Long.parseLong(
                                Descriptors.field(Path.of("/proc/self/status"), "VmRSS")
                                        .split(" ", 2)[0])
                        * 1024);
        amounts.put(DESCRIPTORS, (long) descriptors());
        amounts.put(SLOTS, (long) RingSlots.inUse());
        return amounts;
    }

    /** Not the carriers' own, nor jars that are opened as classes are needed. */
    private static int descriptors() {
        Map<Integer, String> all = Descriptors.of(ProcessHandle.current().pid());
        all.keySet().removeAll(RingSlots.descriptors());
        all.values().removeIf(link -> link.endsWith(".jar") || link.endsWith("/modules"));
        return all.size();
    }

    private static long directBuffers() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getCount)
                .sum();
    }

    private static long platformThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !OTHERS.matcher(thread.getName()).matches())
                .count();
    }

    private static long virtualThreads() {
        return VIRTUAL.matcher(Patience.threads()).results().count();
    }

    /** All descriptors and threads, for who wants to know what is left. */
    static String details() {
        return Descriptors.of(ProcessHandle.current().pid()) + "\n" + Patience.threads();
    }

    static String line(Map<String, Long> values) {
        var line = new StringBuilder();
        values.forEach((name, value) -> line.append(name).append('=').append(value).append(' '));
        return line.toString().strip();
    }

    static Map<String, Long> parse(String line) {
        var values = new TreeMap<String, Long>();
        for (String pair : line.split(" ", -1)) {
            String[] parts = pair.split("=", 2);
            values.put(parts[0], Long.parseLong(parts[1]));
        }
        return values;
    }
}
