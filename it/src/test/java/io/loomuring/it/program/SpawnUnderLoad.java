package io.loomuring.it.program;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Starts as many short child processes as its argument says while virtual threads exchange checked
 * messages; then prints {@code fine N}, N being the number of messages.
 */
public final class SpawnUnderLoad {
    private SpawnUnderLoad() {}

    private static final int CONNECTIONS = 32;
    private static final int MESSAGE_BYTES = 3000;

    public static void main(String[] arguments) throws Exception {
        int children = Integer.parseInt(arguments[0]);
        var done = new AtomicBoolean();
        var messages = new AtomicLong();
        var threads = new Thread[2 * CONNECTIONS];
        try (var listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 1024);
            for (int i = 0; i < CONNECTIONS; i++) {
                SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                SocketChannel server = listener.accept();
                int number = i;
                threads[2 * i] = Thread.ofVirtual().start(() -> echo(server, number % 2 == 0));
                threads[2 * i + 1] =
                        Thread.ofVirtual().start(() -> ask(client, number, done, messages));
            }
        }
        for (int i = 0; i < children; i++) {
            Process child = new ProcessBuilder("true").start();
            if (child.waitFor() != 0) {
                fail("a child ended with " + child.exitValue());
            }
        }
        done.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("fine " + messages.get());
    }

    private static void echo(SocketChannel connection, boolean direct) {
        ByteBuffer buffer =
                direct
                        ? ByteBuffer.allocateDirect(MESSAGE_BYTES)
                        : ByteBuffer.allocate(MESSAGE_BYTES);
        try (connection) {
            while (connection.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    connection.write(buffer);
                }
            }
        } catch (IOException e) {
            fail("echo: " + e);
        }
    }

    private static void ask(
            SocketChannel connection, int number, AtomicBoolean done, AtomicLong messages) {
        var request = new byte[MESSAGE_BYTES];
        var answer = ByteBuffer.allocate(MESSAGE_BYTES);
        try (connection) {
            for (int round = number; !done.get(); round++) {
                for (int i = 0; i < request.length; i++) {
                    request[i] = (byte) (i * 31 + round);
                }
                connection.write(ByteBuffer.wrap(request));
                answer.clear();
                while (answer.hasRemaining()) {
                    if (connection.read(answer) < 0) {
                        fail("connection ended");
                    }
                }
                if (!answer.flip().equals(ByteBuffer.wrap(request))) {
                    fail("wrong answer on connection " + number);
                }
                messages.incrementAndGet();
            }
        } catch (IOException e) {
            fail("ask: " + e);
        }
    }

    private static void fail(String what) {
        System.out.println(what);
        System.exit(1);
    }
}
