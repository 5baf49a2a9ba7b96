package io.loomuring.it.containers.program;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Talks to an {@link EchoServer}: HOST, CONNECTIONS at once, MESSAGES on each, numbered; a virtual
 * thread a connection. With a further argument {@code hold} each connection sends its first message
 * and waits until SIGTERM before it reads. Prints {@code connected=}, then {@code answers=}, those
 * that were right; the exit code is 0 if all were.
 */
public final class EchoClient {
    private EchoClient() {}

    private static final int PORT = 7000;
    private static final int CONNECT_MILLIS = 30_000;
    private static final int TIMEOUT_MILLIS = 60_000;

    private static final CountDownLatch GO = new CountDownLatch(1);
    private static final AtomicInteger CONNECTED = new AtomicInteger();
    private static final AtomicInteger ANSWERS = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        int connections = Integer.parseInt(arguments[1]);
        int messages = Integer.parseInt(arguments[2]);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < connections; i++) {
            int number = i * messages;
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> talk(host, number, number + messages, connections)));
        }
        if (List.of(arguments).contains("hold")) {
            Runtime.getRuntime()
                    .addShutdownHook(
                            new Thread(() -> {
                                GO.countDown();
                                print(threads);
                            }));
            Thread.sleep(Long.MAX_VALUE);
        }
        GO.countDown();
        print(threads);
        System.exit(ANSWERS.get() == connections * messages ? 0 : 1);
    }

    private static void print(List<Thread> threads) {
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        System.out.println("answers=" + ANSWERS);
    }

    private static void talk(String host, int from, int to, int connections) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, PORT), CONNECT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            var in = new DataInputStream(socket.getInputStream());
            var out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(from);
            if (CONNECTED.incrementAndGet() == connections) {
                System.out.println("connected=" + connections);
            }
            GO.await();
            check(in.readInt(), from);
            for (int i = from + 1; i < to; i++) {
                out.writeInt(i);
                check(in.readInt(), i);
            }
        } catch (IOException e) {
            System.err.println("talk: " + e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(int answer, int expected) throws IOException {
        if (answer != expected) {
            throw new IOException("answer " + answer + " instead of " + expected);
        }
        ANSWERS.incrementAndGet();
    }
}
