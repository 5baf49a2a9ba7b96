package io.loomuring.it.containers.program;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** As much of HTTP/1.1 as the programs need: GET, kept connections, bodies of known length. */
final class Http {
    private Http() {}

    /** Of one connection, closed with it. */
    interface Handler extends AutoCloseable {
        /** The body of the answer, one line. */
        String answer(String path) throws Exception;

        @Override
        default void close() throws IOException, SQLException {}
    }

    /** A virtual thread a connection. Stops as servers should: requests in hand are answered. */
    static final class Server {
        private final ServerSocket listener;
        private final Supplier<Handler> handlers;

        /** Connections, and whether a request is in hand. */
        private final ConcurrentHashMap<Socket, AtomicBoolean> connections =
                new ConcurrentHashMap<>();

        private volatile boolean stopping;

        Server(ServerSocket listener, Supplier<Handler> handlers) {
            this.listener = listener;
            this.handlers = handlers;
        }

        /** Serves until SIGTERM, and then until the last request has been answered. */
        void serve() throws InterruptedException {
            Thread acceptor = Thread.ofVirtual().name("acceptor").start(this::accept);
            Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
            acceptor.join();
        }

        private void accept() {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    connections.put(socket, new AtomicBoolean());
                    Thread.ofVirtual().start(() -> serve(socket));
                }
            } catch (IOException e) {
                if (!stopping) {
                    System.err.println("accept: " + e);
                }
            }
        }

        private void serve(Socket socket) {
            AtomicBoolean busy = connections.get(socket);
            try (socket;
                    Handler handler = handlers.get()) {
                InputStream in = new BufferedInputStream(socket.getInputStream());
                OutputStream out = new BufferedOutputStream(socket.getOutputStream());
                String request;
                while (!stopping && (request = readLine(in)) != null) {
                    if (!busy.compareAndSet(false, true)) {
                        return; // it stops: the request was not begun, the client may repeat it
                    }
                    String path = request.split(" ", 3)[1];
                    skipHeaders(in);
                    byte[] body = handler.answer(path).getBytes(StandardCharsets.US_ASCII);
                    boolean last = stopping;
                    String head =
                            "HTTP/1.1 200 OK\r\nContent-Length: "
                                    + body.length
                                    + (last ? "\r\nConnection: close" : "")
                                    + "\r\n\r\n";
                    out.write(head.getBytes(StandardCharsets.US_ASCII));
                    out.write(body);
                    out.flush();
                    busy.set(false);
                }
            } catch (Exception e) {
                if (!stopping) {
                    System.err.println("serve: " + e);
                }
            } finally {
                connections.remove(socket);
            }
        }

        private void stop() {
            stopping = true;
            try {
                listener.close();
                while (!connections.isEmpty()) {
                    for (var connection : connections.entrySet()) {
                        if (connection.getValue().compareAndSet(false, true)) {
                            connection.getKey().close(); // nothing was asked
                        }
                    }
                    Thread.sleep(1);
                }
            } catch (IOException | InterruptedException e) {
                System.err.println("stop: " + e);
            }
        }
    }

    /** A client's connection, which is never repaired: a request on it succeeds or fails. */
    static final class Connection implements Closeable {
        private final Socket socket;
        private final String host;
        private final InputStream in;

        Connection(Socket socket, String host) throws IOException {
            this.socket = socket;
            this.host = host;
            in = new BufferedInputStream(socket.getInputStream());
        }

        /** The body. */
        String get(String path) throws IOException {
            String head = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            String status = readLine(in);
            if (status == null) {
                throw new EOFException("no answer to " + path);
            }
            int length = skipHeaders(in);
            String body = new String(in.readNBytes(length), StandardCharsets.US_ASCII);
            if (!status.startsWith("HTTP/1.1 200 ")) {
                throw new IOException(status + " to " + path);
            }
            if (body.length() != length) {
                throw new EOFException("the answer to " + path + " ends early");
            }
            return body.strip();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** Null at the end. */
    private static String readLine(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        int b;
        while ((b = in.read()) >= 0) {
            if (b == '\n') {
                return line.toString(StandardCharsets.US_ASCII).strip();
            }
            line.write(b);
        }
        return null;
    }

    /** The content's length that they tell. */
    private static int skipHeaders(InputStream in) throws IOException {
        int length = 0;
        String header;
        while ((header = readLine(in)) != null && !header.isEmpty()) {
            if (header.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                length = Integer.parseInt(header.substring(15).strip());
            }
        }
        return length;
    }
}
