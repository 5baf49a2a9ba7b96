package io.loomuring.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;

/** A server: how many may ask it at a time and who has to wait; idle connections to it. */
final class Server implements AutoCloseable {
    /** Servers close idle connections after some seconds, too. */
    private static final Duration IDLE_MAX = Duration.ofSeconds(5);

    final InetSocketAddress address;
    final Semaphore permits;
    final Window window = new Window(System.nanoTime());

    /** It has refused a question with an OPT record, and answered one without. */
    volatile boolean plainOnly;

    private final Counters counters;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Connection> idle = new ArrayDeque<>(); // guarded by lock
    private boolean sweeping; // guarded by lock
    private boolean closed; // guarded by lock

    Server(InetSocketAddress address, int concurrency, Counters counters) {
        this.address = address;
        this.permits = new Semaphore(concurrency);
        this.counters = counters;
    }

    /** A TCP connection, used by one question at a time. */
    static final class Connection implements AutoCloseable {
        final Socket socket;
        final DataInputStream in;
        final DataOutputStream out;
        boolean reused;
        private long idleSinceNanos;

        Connection(InetSocketAddress address, int timeoutMillis) throws IOException {
            // a proxy would have to be looked up
            socket = new Socket(Proxy.NO_PROXY);
            try {
                socket.connect(address, timeoutMillis);
                socket.setTcpNoDelay(true);
                in = new DataInputStream(socket.getInputStream());
                out = new DataOutputStream(socket.getOutputStream());
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                // nothing is lost
            }
        }
    }

    /** An idle connection, or else a new one. */
    Connection connection(boolean mayReuse, int timeoutMillis) throws IOException {
        if (mayReuse) {
            lock.lock();
            try {
                Connection connection = idle.pollLast();
                if (connection != null) {
                    connection.reused = true;
                    return connection;
                }
            } finally {
                lock.unlock();
            }
        }
        counters.tcpConnections.increment();
        return new Connection(address, timeoutMillis);
    }

    /** For the next question; nothing may be outstanding on it. */
    void giveBack(Connection connection) {
        lock.lock();
        try {
            if (!closed) {
                connection.idleSinceNanos = System.nanoTime();
                idle.addLast(connection);
                if (!sweeping) {
                    sweeping = true;
                    Threads.start("dnsj-tcp-sweep", this::sweep);
                }
                return;
            }
        } finally {
            lock.unlock();
        }
        connection.close();
    }

    /** Closes what was idle too long, and ends when nothing is left. */
    private void sweep() {
        while (true) {
            long waitNanos;
            lock.lock();
            try {
                long now = System.nanoTime();
                while (!idle.isEmpty() && remaining(idle.getFirst(), now) <= 0) {
                    idle.removeFirst().close();
                }
                if (idle.isEmpty()) {
                    sweeping = false;
                    return;
                }
                waitNanos = remaining(idle.getFirst(), now);
            } finally {
                lock.unlock();
            }
            try {
                Thread.sleep(Duration.ofNanos(waitNanos));
            } catch (InterruptedException e) {
                // nobody does; the loop looks again
            }
        }
    }

    private static long remaining(Connection connection, long now) {
        return IDLE_MAX.toNanos() - (now - connection.idleSinceNanos);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            while (!idle.isEmpty()) {
                idle.removeFirst().close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** As people write it. */
    @Override
    public String toString() {
        return address.getAddress().getHostAddress() + '#' + address.getPort();
    }
}
