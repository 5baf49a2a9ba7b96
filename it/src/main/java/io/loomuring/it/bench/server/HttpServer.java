package io.loomuring.it.bench.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * An ordinary blocking HTTP/1.1 server with keep-alive: sockets and their streams, a virtual thread
 * for each connection. It is the same program with and without loom-uring, and knows nothing of it.
 *
 * <p>It listens on a free port of the loopback interface, prints {@code PORT n} and runs until its
 * standard input ends.
 */
public final class HttpServer {
    private static final int BACKLOG = 4096;

    /** What load.c expects, byte for byte. */
    private static final byte[] HELLO = answer("200 OK", "Hello, world!\n");

    private static final byte[] NOT_FOUND = answer("404 Not Found", "there is only /hello\n");

    private HttpServer() {}

    @SuppressWarnings("resource") // it listens until the process ends
    public static void main(String[] args) throws IOException {
        var listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(() -> accept(listener));
        ServerControl.run(listener.getLocalPort());
    }

    private static void accept(ServerSocket listener) {
        try {
            while (true) {
                Socket connection = listener.accept();
                connection.setTcpNoDelay(true);
                Thread.startVirtualThread(() -> serve(connection));
            }
        } catch (IOException e) {
            throw new AssertionError("cannot accept", e);
        }
    }

    private static void serve(Socket connection) {
        try (connection) {
            var input =
                    new BufferedReader(
                            new InputStreamReader(
                                    connection.getInputStream(), StandardCharsets.ISO_8859_1));
            OutputStream output = connection.getOutputStream();
            String request = input.readLine();
            while (request != null) {
                boolean keepAlive = readHeaders(input);
                output.write(request.equals("GET /hello HTTP/1.1") ? HELLO : NOT_FOUND);
                request = keepAlive ? input.readLine() : null;
            }
        } catch (IOException e) {
            System.err.println("connection lost: " + e.getMessage());
        }
    }

    /** Whether the client has more to ask. */
    private static boolean readHeaders(BufferedReader input) throws IOException {
        boolean keepAlive = true;
        String header = readLine(input);
        while (!header.isEmpty()) {
            keepAlive &= !header.equalsIgnoreCase("Connection: close");
            header = readLine(input);
        }
        return keepAlive;
    }

    private static String readLine(BufferedReader input) throws IOException {
        String line = input.readLine();
        if (line == null) {
            throw new IOException("it ended within a request");
        }
        return line;
    }

    private static byte[] answer(String status, String body) {
        return """
        HTTP/1.1 %s\r
        Content-Type: text/plain\r
        Content-Length: %d\r
        \r
        %s\
        """
                .formatted(status, body.length(), body)
                .getBytes(StandardCharsets.ISO_8859_1);
    }
}
