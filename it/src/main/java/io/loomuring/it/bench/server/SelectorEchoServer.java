package io.loomuring.it.bench.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * An ordinary event loop: one thread selects and serves all connections, which are non-blocking;
 * another one accepts them. It is the same program with and without loom-uring.
 *
 * <p>It takes {@link EchoOptions}, listens on a free port of the loopback interface, prints {@code
 * PORT n} and runs until its standard input ends.
 */
public final class SelectorEchoServer {
    private static final int BACKLOG = 4096;

    private final EchoOptions options;
    private final Selector selector;
    private final Queue<SocketChannel> accepted = new ConcurrentLinkedQueue<>();

    private SelectorEchoServer(EchoOptions options, Selector selector) {
        this.options = options;
        this.selector = selector;
    }

    public static void main(String[] args) throws IOException {
        var server = new SelectorEchoServer(EchoOptions.parse(args), Selector.open());
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.options.threads().newThread(() -> server.accept(listener)).start();
        server.options.threads().newThread(server::serve).start();
        ServerControl.run(((InetSocketAddress) listener.getLocalAddress()).getPort());
    }

    private void accept(ServerSocketChannel listener) {
        try {
            while (true) {
                SocketChannel connection = listener.accept();
                connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
                accepted.add(connection);
                selector.wakeup();
            }
        } catch (IOException e) {
            throw new AssertionError("cannot accept", e);
        }
    }

    private void serve() {
        try {
            while (true) {
                selector.select();
                for (SocketChannel connection; (connection = accepted.poll()) != null; ) {
                    connection.configureBlocking(false);
                    connection.register(selector, SelectionKey.OP_READ, newBuffer());
                }
                Iterator<SelectionKey> selected = selector.selectedKeys().iterator();
                while (selected.hasNext()) {
                    SelectionKey key = selected.next();
                    selected.remove();
                    serve(key);
                }
            }
        } catch (IOException e) {
            throw new AssertionError("cannot select", e);
        }
    }

    private ByteBuffer newBuffer() {
        return options.direct()
                ? ByteBuffer.allocateDirect(options.bufferBytes())
                : ByteBuffer.allocate(options.bufferBytes());
    }

    /** The buffer holds what was read and not written yet. */
    private void serve(SelectionKey key) throws IOException {
        var connection = (SocketChannel) key.channel();
        var buffer = (ByteBuffer) key.attachment();
        try {
            if (key.isReadable()) {
                if (connection.read(buffer) < 0) {
                    connection.close();
                    return;
                }
                options.work().run();
            }
            buffer.flip();
            connection.write(buffer);
            boolean rest = buffer.hasRemaining();
            buffer.compact();
            int interest = rest ? SelectionKey.OP_WRITE : SelectionKey.OP_READ;
            if (key.interestOps() != interest) {
                key.interestOps(interest);
            }
        } catch (IOException e) {
            System.err.println("connection lost: " + e.getMessage());
            connection.close();
        }
    }
}
