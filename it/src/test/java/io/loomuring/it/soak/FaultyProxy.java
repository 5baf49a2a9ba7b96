package io.loomuring.it.soak;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Passes connections on to a service: late, not at all, or until it resets them. */
final class FaultyProxy {
    private static final int CHUNK_BYTES = 8 * 1024;

    private final InetSocketAddress target;
    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile long delayNanos;
    private volatile boolean mute;

    FaultyProxy(int port, InetSocketAddress target) throws IOException {
        this.target = target;
        listener = new ServerSocket(port, 1024, InetAddress.ofLiteral("127.0.0.1"));
        Thread.ofVirtual().name("proxy").start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** How long each chunk is kept before it is passed on. */
    void delay(long millis) {
        delayNanos = millis * 1_000_000;
    }

    /**
     * Whether all that comes is swallowed, ends included: half-open connections, for both sides.
     */
    void mute(boolean silent) {
        mute = silent;
        if (!silent) {
            reset(); // what they have lost they can't have any more
        }
    }

    /** Resets all connections there are, both ways. */
    void reset() {
        List<Socket> all = List.copyOf(open);
        for (Socket socket : all) {
            try {
                socket.setSoLinger(true, 0); // of all first: what ends one end closes the other
            } catch (IOException e) {
                // it has ended
            }
        }
        all.forEach(FaultyProxy::closeQuietly);
    }

    private void accept() {
        while (true) {
            try {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException e) {
                System.err.println("proxy: " + e);
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                var server = new Socket(target.getAddress(), target.getPort())) {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            open.add(client);
            open.add(server);
            Thread back = Thread.ofVirtual().start(() -> pass(server, client));
            pass(client, server);
            back.join();
        } catch (IOException | InterruptedException e) {
            // it has ended
        } finally {
            open.remove(client);
        }
    }

    private void pass(Socket from, Socket to) {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            int n;
            while ((n = in.read(chunk)) > 0) {
                LockSupport.parkNanos(delayNanos);
                if (!mute) {
                    out.write(chunk, 0, n);
                }
            }
            if (!mute) {
                to.shutdownOutput();
            }
        } catch (IOException e) {
            if (!mute) {
                closeQuietly(to);
            }
        } finally {
            open.remove(from);
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // closed is closed
        }
    }
}
