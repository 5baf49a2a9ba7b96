package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.EchoServer;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** No allocation per operation: bytes that an echo server allocates for a request. */
class AllocationIT {
    private static final int REQUESTS = Settings.size(200_000, 1_000_000);
    private static final int WARM_UP_REQUESTS = 20_000;
    private static final int CONNECTIONS = 16;
    private static final int MESSAGE_BYTES = 64;

    /** A twentieth of the smallest object; the JVM's own threads allocate a little. */
    private static final double BYTES_PER_REQUEST_MAX = 0.8;

    @ParameterizedTest
    @ValueSource(strings = {"heap", "direct"})
    void requestsAllocateNothing(String buffers) throws IOException {
        double stock;
        try (Child server = Child.program(List.of(), EchoServer.class, buffers)) {
            stock = bytesPerRequest(server);
        }
        try (Child server = Child.program(Child.agent(), EchoServer.class, buffers)) {
            double ours = bytesPerRequest(server);
            System.out.printf(
                    "%s buffers: bytes allocated per request over %,d requests: %.3f;"
                            + " stock JDK: %.3f%n",
                    buffers, REQUESTS, ours, stock);
            assertThat(server.end()).isZero();
            System.out.println("ring operations: " + server.ringOperations());
            assertThat(server.ringOperations()).isGreaterThan(2L * REQUESTS);
            assertThat(ours).isLessThan(BYTES_PER_REQUEST_MAX);
            assertThat(ours).isLessThan(stock);
        }
    }

    private static double bytesPerRequest(Child server) throws IOException {
        int port = Integer.parseInt(server.nextLine());
        var address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
        List<SocketChannel> connections = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                connections.add(SocketChannel.open(address));
            }
            request(connections, WARM_UP_REQUESTS);
            long before = allocated(server);
            request(connections, REQUESTS);
            return (double) (allocated(server) - before) / REQUESTS;
        } finally {
            for (SocketChannel connection : connections) {
                connection.close();
            }
        }
    }

    private static long allocated(Child server) {
        server.tell("allocated");
        return Long.parseLong(server.nextLine());
    }

    /** One request on each connection at a time. */
    private static void request(List<SocketChannel> connections, int requests) throws IOException {
        ByteBuffer message = ByteBuffer.allocateDirect(MESSAGE_BYTES);
        for (int i = 0; i < requests; i += connections.size()) {
            for (SocketChannel connection : connections) {
                connection.write(message.clear());
            }
            for (SocketChannel connection : connections) {
                message.clear();
                while (message.hasRemaining()) {
                    assertThat(connection.read(message) > 0).isTrue();
                }
            }
        }
    }
}
