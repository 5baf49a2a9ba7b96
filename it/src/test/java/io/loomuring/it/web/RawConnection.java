package io.loomuring.it.web;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** HTTP/1.1 by hand, over blocking streams, so that it can be spoken badly too. */
public final class RawConnection implements Closeable {
    private static final int CHUNK_BYTES = 10_000;
    private static final String CHUNKED = "chunked";

    /** What a kind of socket does its own way. */
    private interface End extends Closeable {
        void setReadLimit(Duration limit) throws IOException;

        void shutdownOutput() throws IOException;

        void abort() throws IOException;
    }

    private final InputStream in;
    private final OutputStream out;
    private final End end;

    private RawConnection(InputStream in, OutputStream out, End end) {
        this.in = new BufferedInputStream(in);
        this.out = new BufferedOutputStream(out);
        this.end = end;
    }

    public static RawConnection open(SocketAddress address, Wire wire) throws IOException {
        return switch (wire) {
            case TCP -> {
                Socket socket = connected((InetSocketAddress) address);
                yield overSocket(socket, socket);
            }
            case TLS -> {
                Socket socket = connected((InetSocketAddress) address);
                try {
                    yield overSocket(
                            Tls.CONTEXT
                                    .getSocketFactory()
                                    .createSocket(
                                            socket,
                                            socket.getInetAddress().getHostAddress(),
                                            socket.getPort(),
                                            true),
                            socket);
                } catch (IOException e) {
                    socket.close();
                    throw e;
                }
            }
            case UNIX -> overChannel(SocketChannel.open(address));
        };
    }

    private static Socket connected(InetSocketAddress address) throws IOException {
        var socket = new Socket(address.getAddress(), address.getPort());
        socket.setTcpNoDelay(true);
        return socket;
    }

    /** Over a socket, which may be a layer upon another. */
    private static RawConnection overSocket(Socket socket, Socket lowest) throws IOException {
        return new RawConnection(
                socket.getInputStream(),
                socket.getOutputStream(),
                new End() {
                    @Override
                    public void setReadLimit(Duration limit) throws IOException {
                        socket.setSoTimeout((int) limit.toMillis());
                    }

                    @Override
                    public void shutdownOutput() throws IOException {
                        socket.shutdownOutput();
                    }

                    @Override
                    public void abort() throws IOException {
                        lowest.setSoLinger(true, 0);
                        lowest.close();
                    }

                    @Override
                    public void close() throws IOException {
                        try {
                            socket.close();
                        } finally {
                            lowest.close(); // JSSE's close may fail before it does
                        }
                    }
                });
    }

    private static RawConnection overChannel(SocketChannel channel) {
        return new RawConnection(
                Channels.newInputStream(channel),
                Channels.newOutputStream(channel),
                new End() {
                    @Override
                    public void setReadLimit(Duration limit) {
                        // there is none: who asks closes the connection
                    }

                    @Override
                    public void shutdownOutput() throws IOException {
                        channel.shutdownOutput();
                    }

                    @Override
                    public void abort() throws IOException {
                        channel.close();
                    }

                    @Override
                    public void close() throws IOException {
                        channel.close();
                    }
                });
    }

    /** How long to wait for the next bytes; not on a Unix domain socket. */
    public void setReadLimit(Duration limit) throws IOException {
        end.setReadLimit(limit);
    }

    /** Sends a request of which the server knows that it is the last one, or not. */
    public void send(Ask ask, boolean last) throws IOException {
        sendHead(ask, last);
        sendContent(ask.upload(), ask.upload().length());
        if (ask.upload().chunked()) {
            print("0\r\n\r\n");
        }
        flush();
    }

    public void sendHead(Ask ask, boolean last) throws IOException {
        Body upload = ask.upload();
        print("POST " + ask.path() + " HTTP/1.1\r\nHost: localhost\r\n");
        print(last ? "Connection: close\r\n" : "");
        print(
                upload.chunked()
                        ? "Transfer-Encoding: chunked\r\n\r\n"
                        : "Content-Length: " + upload.length() + "\r\n\r\n");
    }

    /** Sends that much of it: the request is still to be ended. */
    public void sendContent(Body upload, long length) throws IOException {
        InputStream content = new Content(length);
        if (!upload.chunked()) {
            content.transferTo(out);
            return;
        }
        for (long left = length; left > 0; left -= CHUNK_BYTES) {
            byte[] chunk = content.readNBytes(CHUNK_BYTES);
            print(Integer.toHexString(chunk.length) + "\r\n");
            out.write(chunk);
            print("\r\n");
        }
    }

    /** Sends bytes, each by itself. */
    public void sendByteByByte(byte[] bytes) throws IOException {
        for (byte b : bytes) {
            out.write(b);
            out.flush();
        }
    }

    /** A request as it is sent. */
    public static byte[] bytes(Ask ask) throws IOException {
        var bytes = new ByteArrayOutputStream();
        new RawConnection(InputStream.nullInputStream(), bytes, null).send(ask, false);
        return bytes.toByteArray();
    }

    public void flush() throws IOException {
        out.flush();
    }

    private void print(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    public Answer receive() throws IOException {
        String status = line();
        var headers = new HashMap<String, String>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        long length = Long.parseLong(headers.getOrDefault("content-length", "-1"));
        return new Answer(
                Integer.parseInt(status.split(" ", 3)[1]),
                length,
                headers.get(Site.UPLOADED),
                content(headers, length),
                headers.get(Site.CONNECTION),
                headers.get(Site.THREAD));
    }

    private String content(Map<String, String> headers, long length) throws IOException {
        var tally = new Tally();
        if (!CHUNKED.equals(headers.get("transfer-encoding"))) {
            if (length < 0) {
                return tally.add(in).toString();
            }
            receive(tally, length);
            return tally.toString();
        }
        int chunk;
        do {
            chunk = Integer.parseInt(line(), 16);
            receive(tally, chunk);
            String afterwards = line();
            if (!afterwards.isEmpty()) {
                throw new IOException("\"" + afterwards + "\" after a chunk");
            }
        } while (chunk > 0);
        return tally.toString();
    }

    private void receive(Tally tally, long length) throws IOException {
        var buffer = new byte[CHUNK_BYTES];
        for (long left = length; left > 0; ) {
            int n = in.readNBytes(buffer, 0, (int) Math.min(left, buffer.length));
            if (n == 0) {
                throw new EOFException(left + " of " + length + " bytes missing");
            }
            tally.add(buffer, 0, n);
            left -= n;
        }
    }

    private String line() throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("ended in a line: \"" + line + "\"");
            }
            line.append((char) b);
        }
        return line.toString().stripTrailing();
    }

    /** Receives that many bytes, whatever they say. */
    public void receive(int bytes) throws IOException {
        if (in.readNBytes(bytes).length < bytes) {
            throw new EOFException();
        }
    }

    /** Waits for the next byte; whether the server has ended the connection instead. */
    public boolean atEnd() throws IOException {
        return in.read() < 0;
    }

    /** No more will be sent. */
    public void shutdownOutput() throws IOException {
        end.shutdownOutput();
    }

    /** Ends the connection without ceremony: the server may see a reset. */
    public void abort() throws IOException {
        end.abort();
    }

    @Override
    public void close() throws IOException {
        end.close();
    }
}
