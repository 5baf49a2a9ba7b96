package io.loomuring.it.bench.server;

import java.util.concurrent.ThreadFactory;

/**
 * What the echo servers on the JDK can be told: {@code [--threads virtual|platform] [--buffer
 * direct|heap] [--buffer-bytes N] [--burn-micros N]}.
 *
 * @param threads makes the thread of each connection, or those of the event loop
 * @param direct whether a channel reads into direct buffers; streams have byte arrays anyway
 * @param bufferBytes the size of a connection's buffer
 * @param work done for each piece of data, before it is sent back
 */
record EchoOptions(ThreadFactory threads, boolean direct, int bufferBytes, Runnable work) {

    static EchoOptions parse(String[] arguments) {
        ThreadFactory threads = Thread.ofVirtual().factory();
        boolean direct = true;
        int bufferBytes = 16 * 1024;
        Runnable work = () -> {};
        for (int i = 0; i < arguments.length; i += 2) {
            String value = i + 1 < arguments.length ? arguments[i + 1] : "";
            switch (arguments[i]) {
                case "--threads" ->
                        threads =
                                switch (value) {
                                    case "virtual" -> Thread.ofVirtual().factory();
                                    case "platform" -> Thread.ofPlatform().daemon().factory();
                                    default -> throw new IllegalArgumentException(value);
                                };
                case "--buffer" ->
                        direct =
                                switch (value) {
                                    case "direct" -> true;
                                    case "heap" -> false;
                                    default -> throw new IllegalArgumentException(value);
                                };
                case "--buffer-bytes" -> bufferBytes = Integer.parseInt(value);
                case "--burn-micros" -> work = CpuBurner.calibrated(Integer.parseInt(value));
                default -> throw new IllegalArgumentException("unknown option " + arguments[i]);
            }
        }
        return new EchoOptions(threads, direct, bufferBytes, work);
    }
}
