package io.loomuring.it.program;

import io.loomuring.LoomUring;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Installs loom-uring after so many virtual threads that the JIT has compiled their creation; then
 * prints what {@code install} returned, twice, and how many threads which carriers ran.
 */
public final class InstallProbe {
    private InstallProbe() {}

    private static final int WARM_UP_THREADS = 300_000;
    private static final int THREADS = 1_000;

    public static void main(String[] arguments) throws InterruptedException {
        for (int i = 0; i < WARM_UP_THREADS; i++) {
            Thread.ofVirtual().start(() -> {}).join();
        }
        System.out.println(LoomUring.install() + " " + LoomUring.install());
        var carriers = new ConcurrentHashMap<String, LongAdder>();
        for (int i = 0; i < THREADS; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        String thread = Thread.currentThread().toString();
                        String carrier =
                                thread.substring(thread.lastIndexOf('@') + 1)
                                        .replaceAll("[-0-9]+$", "");
                        carriers.computeIfAbsent(carrier, name -> new LongAdder()).increment();
                    })
                    .join();
        }
        Map<String, LongAdder> sorted = new TreeMap<>(carriers);
        System.out.println(sorted);
    }
}
