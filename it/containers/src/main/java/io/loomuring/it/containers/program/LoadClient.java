package io.loomuring.it.containers.program;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Asks a web server, HOST PORT, over CONNECTIONS kept connections, one numbered request after the
 * other, until SIGTERM; a virtual thread a connection. Repeats nothing. Prints {@code warm=} after
 * some requests; at the end {@code requests=}, {@code failures=} (each is on the error stream) and
 * {@code slowestMillis=}.
 */
public final class LoadClient {
    private LoadClient() {}

    private static final int WARM = 200;
    private static final int PAUSE_MILLIS = 1;
    private static final int TIMEOUT_MILLIS = 20_000;

    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final AtomicInteger REQUESTS = new AtomicInteger();
    private static final AtomicInteger FAILURES = new AtomicInteger();
    private static final AtomicInteger SLOWEST_MILLIS = new AtomicInteger();

    private static volatile boolean stopping;

    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        int port = Integer.parseInt(arguments[1]);
        int connections = Integer.parseInt(arguments[2]);
        var threads = new ArrayList<Thread>();
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> {
                            stopping = true;
                            join(threads);
                            System.out.println("requests=" + REQUESTS);
                            System.out.println("failures=" + FAILURES);
                            System.out.println("slowestMillis=" + SLOWEST_MILLIS);
                        }));
        for (int i = 0; i < connections; i++) {
            threads.add(Thread.ofVirtual().start(() -> ask(host, port)));
        }
        join(threads);
    }

    private static void join(Iterable<Thread> threads) {
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void ask(String host, int port) {
        while (!stopping) {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
                socket.setSoTimeout(TIMEOUT_MILLIS);
                askOn(new Http.Connection(socket, host));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } catch (IOException e) {
                FAILURES.incrementAndGet();
                System.err.println("request: " + e);
            }
        }
    }

    private static void askOn(Http.Connection connection) throws IOException, InterruptedException {
        while (!stopping) {
            int number = NUMBERS.incrementAndGet();
            long start = System.nanoTime();
            int count = REQUESTS.incrementAndGet();
            String answer = connection.get("/" + number);
            if (!answer.startsWith(number + " ")) {
                throw new IOException(answer + " to " + number);
            }
            int millis = (int) ((System.nanoTime() - start) / 1_000_000);
            SLOWEST_MILLIS.accumulateAndGet(millis, Math::max);
            Thread.sleep(PAUSE_MILLIS); // leaves the processors to what is to start
            if (count == WARM) {
                System.out.println("warm=" + count);
            }
        }
    }
}
