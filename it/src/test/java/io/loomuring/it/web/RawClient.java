package io.loomuring.it.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A client on blocking sockets, which keeps its connections. */
final class RawClient implements WebClient {
    private final ConcurrentLinkedDeque<RawConnection> idle = new ConcurrentLinkedDeque<>();
    private final SocketAddress address;
    private final Wire wire;

    RawClient(SocketAddress address, Wire wire) {
        this.address = address;
        this.wire = wire;
    }

    @Override
    public Answer ask(Ask ask, Duration limit) throws IOException {
        RawConnection kept = idle.pollFirst();
        RawConnection connection = kept != null ? kept : RawConnection.open(address, wire);
        var expired = new AtomicBoolean();
        CompletableFuture<Void> alarm =
                wire == Wire.UNIX
                        ? closeAfter(connection, limit, expired)
                        : new CompletableFuture<>();
        try {
            connection.setReadLimit(limit);
            connection.send(ask, false);
            Answer answer = connection.receive();
            idle.addFirst(connection);
            return answer;
        } catch (ClosedChannelException e) {
            connection.close();
            throw expired.get() ? (IOException) new SocketTimeoutException().initCause(e) : e;
        } catch (IOException e) {
            connection.close();
            throw e;
        } finally {
            alarm.cancel(false);
        }
    }

    private static CompletableFuture<Void> closeAfter(
            RawConnection connection, Duration limit, AtomicBoolean expired) {
        return CompletableFuture.runAsync(
                () -> {
                    expired.set(true);
                    try {
                        connection.close();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                CompletableFuture.delayedExecutor(limit.toMillis(), TimeUnit.MILLISECONDS));
    }

    @Override
    public void close() throws IOException {
        RawConnection connection;
        while ((connection = idle.pollFirst()) != null) {
            connection.close();
        }
    }
}
