package io.loomuring.it.containers.program;

import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Orders from an {@link OrderServer}: HOST, CONNECTIONS, ORDERS on each, of which every fifth is
 * void. Prints {@code answers=}, those that were right, and {@code sum=}, what the server has at
 * the end.
 */
public final class OrderClient {
    private OrderClient() {}

    private static final int PORT = 8443;

    private static final AtomicInteger ANSWERS = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        int connections = Integer.parseInt(arguments[1]);
        int orders = Integer.parseInt(arguments[2]);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < connections; i++) {
            int from = i * orders;
            threads.add(Thread.ofVirtual().start(() -> order(host, from, from + orders)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("answers=" + ANSWERS);
        Thread.ofVirtual().start(() -> printSum(host)).join();
    }

    private static void order(String host, int from, int to) {
        try (var connection = connect(host)) {
            for (int id = from; id < to; id++) {
                String answer = connection.get((id % 5 == 0 ? "/void/" : "/order/") + id);
                if (!answer.startsWith(id + " ")) {
                    throw new IOException(answer + " to " + id);
                }
                ANSWERS.incrementAndGet();
            }
        } catch (IOException e) {
            System.err.println("order: " + e);
        }
    }

    private static void printSum(String host) {
        try (var connection = connect(host)) {
            System.out.println("sum=" + connection.get("/sum"));
        } catch (IOException e) {
            System.err.println("sum: " + e);
        }
    }

    private static Http.Connection connect(String host) throws IOException {
        return new Http.Connection(OrderServer.connectTls(host, PORT), host);
    }
}
