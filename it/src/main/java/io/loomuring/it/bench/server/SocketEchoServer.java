package io.loomuring.it.bench.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * {@link EchoServer} on {@link ServerSocket}, {@link Socket} and their streams. It is the same
 * program with and without loom-uring.
 *
 * <p>It takes {@link EchoOptions}, listens on a free port of the loopback interface, prints {@code
 * PORT n} and runs until its standard input ends.
 */
public final class SocketEchoServer {
    private static final int BACKLOG = 4096;

    private final EchoOptions options;

    private SocketEchoServer(EchoOptions options) {
        this.options = options;
    }

    @SuppressWarnings("resource") // it listens until the process ends
    public static void main(String[] args) throws IOException {
        var server = new SocketEchoServer(EchoOptions.parse(args));
        var listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        server.options.threads().newThread(() -> server.accept(listener)).start();
        ServerControl.run(listener.getLocalPort());
    }

    private void accept(ServerSocket listener) {
        try {
            while (true) {
                Socket connection = listener.accept();
                connection.setTcpNoDelay(true);
                options.threads().newThread(() -> serve(connection)).start();
            }
        } catch (IOException e) {
            throw new AssertionError("cannot accept", e);
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            InputStream input = connection.getInputStream();
            OutputStream output = connection.getOutputStream();
            byte[] buffer = new byte[options.bufferBytes()];
            for (int length; (length = input.read(buffer)) >= 0; ) {
                options.work().run();
                output.write(buffer, 0, length);
            }
        } catch (IOException e) {
            System.err.println("connection lost: " + e.getMessage());
        }
    }
}
