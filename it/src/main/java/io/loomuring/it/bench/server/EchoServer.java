package io.loomuring.it.bench.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * An ordinary blocking echo server on channels: one thread accepts, one thread serves each
 * connection. It is the same program with and without loom-uring.
 *
 * <p>It takes {@link EchoOptions}, listens on a free port of the loopback interface, prints {@code
 * PORT n} and runs until its standard input ends.
 */
public final class EchoServer {
    private static final int BACKLOG = 4096;

    private final EchoOptions options;

    private EchoServer(EchoOptions options) {
        this.options = options;
    }

    public static void main(String[] args) throws IOException {
        var server = new EchoServer(EchoOptions.parse(args));
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.options.threads().newThread(() -> server.accept(listener)).start();
        ServerControl.run(((InetSocketAddress) listener.getLocalAddress()).getPort());
    }

    private void accept(ServerSocketChannel listener) {
        try {
            while (true) {
                SocketChannel connection = listener.accept();
                connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
                options.threads().newThread(() -> serve(connection)).start();
            }
        } catch (IOException e) {
            throw new AssertionError("cannot accept", e);
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            ByteBuffer buffer =
                    options.direct()
                            ? ByteBuffer.allocateDirect(options.bufferBytes())
                            : ByteBuffer.allocate(options.bufferBytes());
            while (connection.read(buffer) >= 0) {
                options.work().run();
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
