package io.loomuring.it.program;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.concurrent.SynchronousQueue;

/**
 * Prints what carries its virtual threads, line by line {@code what=carrier}: one started before
 * the first channel was opened, one started after, and one that the first one started then. The
 * first and the second exchange a message through channels.
 */
public final class SwitchProbe {
    private SwitchProbe() {}

    public static void main(String[] arguments) throws Exception {
        var opened = new SynchronousQueue<ServerSocketChannel>();
        Thread early =
                Thread.ofVirtual()
                        .start(() -> {
                            print("before", carrier());
                            try {
                                answer(opened.take());
                                Thread.ofVirtual()
                                        .start(() -> print("descendant", carrier()))
                                        .join();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                        });
        var listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        print("provider", SelectorProvider.provider().getClass().getName());
        print("channel", listener.getClass().getName());
        Thread late =
                Thread.ofVirtual()
                        .start(() -> {
                            print("after", carrier());
                            ask(listener);
                        });
        opened.put(listener);
        early.join();
        late.join();
    }

    private static synchronized void print(String what, String value) {
        System.out.println(what + "=" + value);
    }

    private static String carrier() {
        String thread = Thread.currentThread().toString();
        return thread.substring(thread.lastIndexOf('@') + 1);
    }

    private static void answer(ServerSocketChannel listener) {
        try (SocketChannel connection = listener.accept()) {
            ByteBuffer message = ByteBuffer.allocate(1);
            connection.read(message);
            connection.write(message.flip());
        } catch (IOException e) {
            print("answer", e.toString());
        }
    }

    private static void ask(ServerSocketChannel listener) {
        try (var connection = SocketChannel.open(listener.getLocalAddress())) {
            connection.write(ByteBuffer.wrap(new byte[] {42}));
            ByteBuffer answer = ByteBuffer.allocate(1);
            connection.read(answer);
            print("answer", Byte.toString(answer.get(0)));
        } catch (IOException e) {
            print("answer", e.toString());
        }
    }
}
