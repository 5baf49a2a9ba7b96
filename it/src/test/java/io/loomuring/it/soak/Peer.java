package io.loomuring.it.soak;

import io.loomuring.it.web.ServerKind;
import io.loomuring.it.web.Site;
import io.loomuring.it.web.WebServer;
import io.loomuring.it.web.Wire;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import javax.net.ssl.SSLContext;

/**
 * The servers that a {@link Workload} talks with, each connection on a virtual thread. It prints
 * where they are, then serves commands. Arguments: the ledger's file; where to be, as {@link
 * Addresses}, the name server's port at least: what isn't named gets any.
 */
public final class Peer {
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int BACKLOG = 1024;
    private static final int IDLE_MILLIS = 4_000; // longer than any client pauses
    private static final int HANG_MILLIS = 12_000;
    private static final long PATIENCE_NANOS = 10_000_000;

    private final Ledger ledger;
    private final Guard guard = new Guard();
    private final Set<String> violations = ConcurrentHashMap.newKeySet();
    private final Addresses wanted;
    private final Addresses addresses = new Addresses();
    private final AtomicInteger connections = new AtomicInteger();
    private DnsServer dns;

    private Peer(Path ledger, Addresses wanted) throws IOException {
        this.ledger = new Ledger(ledger);
        this.wanted = wanted;
    }

    /** Accepts a connection, and makes a line of it on the thread that serves it. */
    private interface Acceptor {
        Opener accept() throws IOException;
    }

    private interface Opener {
        Line open() throws IOException;
    }

    public static void main(String[] arguments) throws Exception {
        new Peer(Path.of(arguments[0]), Addresses.parse(arguments[1])).run();
    }

    private void run() throws Exception {
        var channel = ServerSocketChannel.open().bind(address("channel"), BACKLOG);
        listen(
                "channel",
                ((InetSocketAddress) channel.getLocalAddress()).getPort(),
                () -> {
                    SocketChannel connection = channel.accept();
                    connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    return () -> Line.of(connection, connections.get() % 2 == 0);
                });
        listen("socket", new ServerSocket(port("socket"), BACKLOG, LOOPBACK));
        listen(
                "tls",
                tls().getServerSocketFactory().createServerSocket(port("tls"), BACKLOG, LOOPBACK));
        var proxy = new FaultyProxy(port("proxied"), addresses.get("socket"));
        addresses.put("proxied", proxy.port());
        var site = new Site(ledger::countRequest);
        for (ServerKind kind :
                new ServerKind[] {
                    ServerKind.JDK_VIRTUAL, ServerKind.JETTY_VIRTUAL, ServerKind.NETTY
                }) {
            WebServer server = kind.start(site, Wire.TCP, Duration.ofMillis(IDLE_MILLIS));
            addresses.put(kind.name(), ((InetSocketAddress) server.address()).getPort());
        }
        addresses.put("dns", port("dns"));
        dns = new DnsServer(address("dns"));
        System.out.println(addresses);
        new Commands()
                .with("violations", _ -> Commands.line(violations, guard.hung()))
                .with("requests", _ -> Long.toString(ledger.requests()))
                .with(
                        "delay",
                        millis -> {
                            proxy.delay(Long.parseLong(millis));
                            return "delayed";
                        })
                .with(
                        "mute",
                        silent -> {
                            proxy.mute(Boolean.parseBoolean(silent));
                            return "muted";
                        })
                .with(
                        "reset",
                        _ -> {
                            proxy.reset();
                            return "reset";
                        })
                .with("dns", this::changeDns)
                .with("eat", _ -> Eaten.allItCan())
                .serve();
    }

    private String changeDns(String how) throws IOException {
        switch (how) {
            case "silent" -> dns.silent(true);
            case "gone" -> dns.close();
            default -> {
                dns.close();
                dns = new DnsServer(address("dns"));
            }
        }
        return "changed";
    }

    private InetSocketAddress address(String name) {
        return new InetSocketAddress(LOOPBACK, port(name));
    }

    private int port(String name) {
        InetSocketAddress address = wanted.get(name);
        return address == null ? 0 : address.getPort();
    }

    private static SSLContext tls() {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void listen(String name, ServerSocket listener) {
        listen(
                name,
                listener.getLocalPort(),
                () -> {
                    Socket connection = listener.accept();
                    return () -> {
                        connection.setSoTimeout(IDLE_MILLIS);
                        connection.setTcpNoDelay(true);
                        return Line.of(connection);
                    };
                });
    }

    private void listen(String name, int port, Acceptor acceptor) {
        addresses.put(name, port);
        Thread.ofVirtual()
                .name(name)
                .start(() -> {
                    while (true) {
                        try {
                            Opener opener = acceptor.accept();
                            Thread.ofVirtual().start(() -> serve(name, opener));
                        } catch (IOException e) {
                            System.err.println(name + ": " + e);
                            LockSupport.parkNanos(PATIENCE_NANOS);
                        }
                    }
                });
    }

    /** Takes numbers in and answers them, until the connection ends, however. */
    private void serve(String name, Opener opener) {
        connections.incrementAndGet();
        Guard.Watch watch = guard.watch("serving " + name, false);
        try (Line line = opener.open()) {
            boolean timed = line.setReadLimit(IDLE_MILLIS);
            watch.begin(timed ? null : line, IDLE_MILLIS, HANG_MILLIS);
            byte[] hello = new byte[EchoExchange.HELLO_BYTES];
            line.readFully(hello, hello.length);
            int stream = ByteBuffer.wrap(hello).getInt();
            long entry = ledger.hello(stream, line).word();
            byte[] answer = ByteBuffer.allocate(EchoExchange.ENTRY_BYTES).putLong(entry).array();
            line.write(answer, answer.length);
            var message = new Message();
            while (true) {
                watch.begin(timed ? null : line, IDLE_MILLIS, HANG_MILLIS);
                message.receive(line);
                if (message.stream() != stream) {
                    throw new Violation(stream + " received for " + message.stream());
                }
                if (!ledger.apply(stream, line, message.number(), message.checksum())) {
                    return; // the stream has another connection by now
                }
                message.set(
                        message.answerLength(), stream, message.number(), message.answerLength());
                message.send(line);
                watch.end();
            }
        } catch (Violation e) {
            violations.add(e.getMessage());
        } catch (IOException e) {
            // the client has ended it, or did not get on
        } finally {
            watch.end();
            guard.forget(watch);
        }
    }

    /** Memory outside of the heap, until the kernel has had enough. */
    private static final class Eaten {
        private static final int CHUNK_BYTES = 1 << 20;
        private static final Map<Integer, ByteBuffer> CHUNKS = new ConcurrentHashMap<>();

        static String allItCan() {
            for (int i = 0; ; i++) {
                ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
                for (int at = 0; at < CHUNK_BYTES; at += 4096) {
                    chunk.put(at, (byte) 1);
                }
                CHUNKS.put(i, chunk);
            }
        }
    }
}
