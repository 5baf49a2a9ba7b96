package io.loomuring.it.bench.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.function.IntFunction;

/**
 * An ordinary blocking echo server: one virtual thread accepts, one virtual thread serves each
 * connection. It is the same program with and without loom-uring.
 *
 * <p>Usage: {@code EchoServer [--buffer direct|heap] [--burn-micros N]}. It listens on a free port
 * of the loopback interface, prints {@code PORT n} and runs until its standard input ends.
 */
public final class EchoServer {
    private static final int BACKLOG = 4096;
    private static final int BUFFER_BYTES = 16 * 1024;

    private final IntFunction<ByteBuffer> allocator;
    private final Runnable work;

    private EchoServer(IntFunction<ByteBuffer> allocator, Runnable work) {
        this.allocator = allocator;
        this.work = work;
    }

    public static void main(String[] args) throws IOException {
        IntFunction<ByteBuffer> allocator = ByteBuffer::allocateDirect;
        Runnable work = () -> {};
        for (int i = 0; i < args.length; i += 2) {
            String value = i + 1 < args.length ? args[i + 1] : "";
            switch (args[i]) {
                case "--buffer" ->
                        allocator =
                                switch (value) {
                                    case "direct" -> ByteBuffer::allocateDirect;
                                    case "heap" -> ByteBuffer::allocate;
                                    default -> throw new IllegalArgumentException(value);
                                };
                case "--burn-micros" -> work = CpuBurner.calibrated(Integer.parseInt(value));
                default -> throw new IllegalArgumentException("unknown option " + args[i]);
            }
        }

        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        var server = new EchoServer(allocator, work);
        Thread.ofVirtual().name("accept").start(() -> server.accept(listener));
        ServerControl.run(((InetSocketAddress) listener.getLocalAddress()).getPort());
    }

    private void accept(ServerSocketChannel listener) {
        try {
            while (true) {
                SocketChannel connection = listener.accept();
                connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
                Thread.ofVirtual().start(() -> serve(connection));
            }
        } catch (IOException e) {
            throw new AssertionError("cannot accept", e);
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            ByteBuffer buffer = allocator.apply(BUFFER_BYTES);
            while (connection.read(buffer) >= 0) {
                work.run();
                buffer.flip();
                while (buffer.hasRemaining()) {
                    connection.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException e) {
            System.err.println("connection lost: " + e.getMessage());
        }
    }
}
