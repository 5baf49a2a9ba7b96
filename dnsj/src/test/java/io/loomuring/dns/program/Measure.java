package io.loomuring.dns.program;

import com.sun.management.OperatingSystemMXBean;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What look-ups cost, one line a run: {@code slow LOOKUPS}, beside an echo; {@code rate jdk|netty
 * THREADS NAMES WARM-UP-SECONDS SECONDS}, NAMES 0 for a new name each time. All on virtual threads.
 */
public final class Measure {
    private Measure() {}

    private static final int ECHOES = 16;
    private static final int WARM_UP_SECONDS = 25; // the JIT compilers want some 50,000 look-ups
    private static final int WARM_UP_TIMES = 4; // as many look-ups at a time
    private static final int WARM_UP_ROUNDS = 2; // as measured: idle carriers have other code
    private static final int ROUNDS = 8;
    private static final int ALONE_MILLIS = 1300;

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "slow" -> slow(Integer.parseInt(arguments[1]));
            case "rate" ->
                    rate(
                            arguments[1].equals("netty") ? netty() : Measure::jdk,
                            Integer.parseInt(arguments[2]),
                            Integer.parseInt(arguments[3]),
                            Integer.parseInt(arguments[4]),
                            Integer.parseInt(arguments[5]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.exit(0);
    }

    private interface Resolver {
        void resolve(String name) throws Exception;
    }

    private static void jdk(String name) throws UnknownHostException {
        InetAddress.getAllByName(name);
    }

    private static Resolver netty() {
        var loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        DnsNameResolver resolver =
                new DnsNameResolverBuilder(loops.next())
                        .datagramChannelType(NioDatagramChannel.class)
                        .nameServerProvider(
                                new SingletonDnsServerAddressStreamProvider(
                                        new InetSocketAddress(
                                                InetAddress.ofLiteral("127.0.0.53"), 53)))
                        .build();
        return name -> resolver.resolveAll(name).sync();
    }

    // ---- 1,000 at a time, beside an echo ----

    /** What an echo is measured beside. Twice nothing: what differs then is noise. */
    private enum Phase {
        WARM_UP,
        ALONE,
        ALONE_AGAIN,
        LOOK_UPS
    }

    private static void slow(int lookups) throws Exception {
        var stop = new AtomicBoolean();
        var phase = new AtomicReference<>(Phase.WARM_UP);
        var times = new EnumMap<Phase, List<Long>>(Phase.class);
        var threads = startEchoes(stop, phase, times);
        var failed = new AtomicInteger();
        long cold = lookUp(lookups, "cold", failed);
        long end = System.nanoTime() + WARM_UP_SECONDS * 1_000_000_000L;
        for (int round = 0; System.nanoTime() < end; round++) {
            lookUp(WARM_UP_TIMES * lookups, "w" + round, failed);
        }
        System.gc(); // not while it is measured
        var took = new ArrayList<Long>();
        for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
            boolean measured = round >= 0;
            phase.set(measured ? Phase.ALONE : Phase.WARM_UP);
            Thread.sleep(ALONE_MILLIS);
            phase.set(measured ? Phase.ALONE_AGAIN : Phase.WARM_UP);
            Thread.sleep(ALONE_MILLIS);
            phase.set(measured ? Phase.LOOK_UPS : Phase.WARM_UP);
            long nanos = lookUp(lookups, "r" + round, failed);
            if (measured) {
                took.add(nanos);
            }
        }
        phase.set(Phase.WARM_UP);
        stop.set(true);
        for (Thread thread : threads) {
            thread.join(5000);
        }
        took.sort(null);
        synchronized (times) {
            System.out.printf(
                    "%d look-ups in %.2f to %.2f s, cold %.2f s, %d failed; echo p50/p99/max us"
                            + " alone %s, again %s, with look-ups %s%n",
                    lookups,
                    took.getFirst() / 1e9,
                    took.getLast() / 1e9,
                    cold / 1e9,
                    failed.get(),
                    percentiles(times.get(Phase.ALONE)),
                    percentiles(times.get(Phase.ALONE_AGAIN)),
                    percentiles(times.get(Phase.LOOK_UPS)));
        }
    }

    /** Nanoseconds from the first start to the last answer. */
    private static long lookUp(int lookups, String prefix, AtomicInteger failed)
            throws InterruptedException {
        var done = new CountDownLatch(lookups);
        var lookers = new Thread[lookups];
        for (int i = 0; i < lookups; i++) {
            lookers[i] = looker(prefix + "n" + i + ".wild.test", failed, done);
        }
        long start = System.nanoTime();
        for (Thread looker : lookers) {
            looker.start();
        }
        done.await();
        return System.nanoTime() - start;
    }

    private static Thread looker(String name, AtomicInteger failed, CountDownLatch done) {
        return Thread.ofVirtual()
                .unstarted(() -> {
                    try {
                        InetAddress.getAllByName(name);
                    } catch (UnknownHostException e) {
                        failed.incrementAndGet();
                    } finally {
                        done.countDown();
                    }
                });
    }

    private static List<Thread> startEchoes(
            AtomicBoolean stop, AtomicReference<Phase> phase, Map<Phase, List<Long>> times)
            throws IOException {
        var threads = new ArrayList<Thread>();
        var server = new ServerSocket(0, ECHOES, InetAddress.ofLiteral("127.0.0.1"));
        threads.add(
                Thread.ofVirtual()
                        .start(() -> {
                            try (server) {
                                for (int i = 0; i < ECHOES; i++) {
                                    Socket peer = server.accept();
                                    peer.setTcpNoDelay(true);
                                    Thread.ofVirtual().start(() -> echo(peer));
                                }
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        }));
        for (int i = 0; i < ECHOES; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> ping(server.getLocalPort(), stop, phase, times)));
        }
        return threads;
    }

    private static void echo(Socket peer) {
        try (peer) {
            InputStream in = peer.getInputStream();
            OutputStream out = peer.getOutputStream();
            byte[] buffer = new byte[64];
            int n;
            while ((n = in.read(buffer)) >= 0) {
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // the end
        }
    }

    /** A message each 2 ms, so that it waits for others and not for itself. */
    private static void ping(
            int port,
            AtomicBoolean stop,
            AtomicReference<Phase> phase,
            Map<Phase, List<Long>> times) {
        var mine = new EnumMap<Phase, List<Long>>(Phase.class);
        for (Phase each : Phase.values()) {
            mine.put(each, new ArrayList<>());
        }
        try (var socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            byte[] message = new byte[64];
            while (!stop.get()) {
                List<Long> now = mine.get(phase.get());
                long start = System.nanoTime();
                out.write(message);
                in.readNBytes(message, 0, message.length);
                now.add(System.nanoTime() - start);
                Thread.sleep(2);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
        synchronized (times) {
            mine.forEach((each, nanos) ->
                    times.computeIfAbsent(each, _ -> new ArrayList<>()).addAll(nanos));
        }
    }

    private static String percentiles(List<Long> nanos) {
        long[] sorted = nanos.stream().mapToLong(n -> n).sorted().toArray();
        return "%d/%d/%d"
                .formatted(
                        sorted[sorted.length / 2] / 1000,
                        sorted[(int) (sorted.length * 0.99)] / 1000,
                        sorted[sorted.length - 1] / 1000);
    }

    // ---- rates ----

    private static void rate(
            Resolver resolver, int threads, int names, int warmUpSeconds, int seconds)
            throws Exception {
        run(resolver, threads, names, warmUpSeconds, "w");
        var os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = os.getProcessCpuTime();
        long start = System.nanoTime();
        long done = run(resolver, threads, names, seconds, "m");
        double took = (System.nanoTime() - start) / 1e9;
        double cpuMicros = (os.getProcessCpuTime() - cpu) / 1e3;
        System.out.printf("%.0f look-ups/s, %.2f CPU us each%n", done / took, cpuMicros / done);
    }

    private static long run(Resolver resolver, int threads, int names, int seconds, String prefix)
            throws InterruptedException {
        var next = new AtomicLong();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        var workers = new Thread[threads];
        Arrays.setAll(
                workers,
                _ ->
                        Thread.ofVirtual()
                                .start(() -> {
                                    while (System.nanoTime() < end) {
                                        long n = next.getAndIncrement();
                                        String name =
                                                names == 0
                                                        ? prefix + n + ".wild.test"
                                                        : "c" + n % names + ".wild.test";
                                        try {
                                            resolver.resolve(name);
                                        } catch (Exception e) {
                                            throw new IllegalStateException(e);
                                        }
                                    }
                                }));
        for (Thread worker : workers) {
            worker.join();
        }
        return next.get();
    }
}
