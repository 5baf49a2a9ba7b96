package io.loomuring.it.program;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * Leaves virtual threads in every kind of wait and ends: by the end of {@code main}, or with the
 * argument {@code exit} by one of those threads.
 */
public final class ParkedThreads {
    private ParkedThreads() {}

    private static final int EXIT_CODE = 7;

    public static void main(String[] arguments) throws Exception {
        boolean exit = arguments.length > 0 && arguments[0].equals("exit");
        var listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        SocketChannel client = SocketChannel.open(listener.getLocalAddress());
        SocketChannel server = listener.accept();
        var begun = new CountDownLatch(5);
        park(begun, () -> client.read(ByteBuffer.allocate(10)));
        park(begun, () -> server.read(ByteBuffer.allocateDirect(10)));
        park(begun, listener::accept);
        park(begun, () -> Thread.sleep(Duration.ofHours(1)));
        park(begun, LockSupport::park);
        begun.await();
        System.out.println("ends");
        if (exit) {
            Thread.ofVirtual().start(() -> System.exit(EXIT_CODE)).join();
        }
    }

    private interface Wait {
        void run() throws IOException, InterruptedException;
    }

    private static void park(CountDownLatch begun, Wait wait) {
        Thread.ofVirtual()
                .start(() -> {
                    begun.countDown();
                    try {
                        wait.run();
                    } catch (IOException | InterruptedException e) {
                        System.err.println("woken: " + e);
                    }
                });
    }
}
