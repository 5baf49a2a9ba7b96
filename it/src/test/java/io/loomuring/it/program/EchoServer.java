package io.loomuring.it.program;

import com.sun.management.ThreadMXBean;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.locks.LockSupport;

/**
 * Answers every connection with what it sends, one virtual thread for each. Prints its port; then,
 * for each line of standard input, the bytes that the JVM has allocated so far. With the argument
 * {@code direct} it uses direct buffers; with {@code patient} it goes on when it can't accept; with
 * {@code blocked} another virtual thread keeps its carrier, blocked for ever.
 */
public final class EchoServer {
    private EchoServer() {}

    private static final int BUFFER_BYTES = 4096;
    private static final long PATIENCE_NANOS = 10_000_000;

    public static void main(String[] arguments) throws IOException {
        boolean direct = List.of(arguments).contains("direct");
        boolean patient = List.of(arguments).contains("patient");
        if (List.of(arguments).contains("blocked")) {
            InputStream silent = new ProcessBuilder("cat").start().getInputStream();
            Thread.ofVirtual().start(() -> readOnce(silent));
        }
        var listener =
                ServerSocketChannel.open()
                        .bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 1024);
        Thread.ofVirtual().name("acceptor").start(() -> accept(listener, direct, patient));
        System.out.println(((InetSocketAddress) listener.getLocalAddress()).getPort());
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (var in = new Scanner(System.in, StandardCharsets.US_ASCII)) {
            while (in.hasNextLine()) {
                in.nextLine();
                System.out.println(threads.getTotalThreadAllocatedBytes());
            }
        }
        System.exit(0);
    }

    private static void readOnce(InputStream in) {
        try {
            System.err.println("silent no more: " + in.read());
        } catch (IOException e) {
            System.err.println("silent no more: " + e);
        }
    }

    private static void accept(ServerSocketChannel listener, boolean direct, boolean patient) {
        do {
            try {
                while (true) {
                    SocketChannel connection = listener.accept();
                    Thread.ofVirtual().start(() -> echo(connection, direct));
                }
            } catch (IOException e) {
                System.err.println("accept: " + e);
                LockSupport.parkNanos(PATIENCE_NANOS);
            }
        } while (patient);
    }

    private static void echo(SocketChannel connection, boolean direct) {
        ByteBuffer buffer =
                direct
                        ? ByteBuffer.allocateDirect(BUFFER_BYTES)
                        : ByteBuffer.allocate(BUFFER_BYTES);
        try (connection) {
            while (connection.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    connection.write(buffer);
                }
            }
        } catch (IOException e) {
            System.err.println("echo: " + e); // the client has reset the connection
        }
    }
}
