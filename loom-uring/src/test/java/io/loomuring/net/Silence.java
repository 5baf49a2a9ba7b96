package io.loomuring.net;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** A listener whose backlog is full: connecting to it gets no answer. */
final class Silence {
    private Silence() {}

    private static final List<Closeable> FILLERS = new ArrayList<>(); // open till the end
    static final SocketAddress ADDRESS;

    static {
        try {
            ADDRESS = fill();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static SocketAddress fill() throws IOException {
        ServerSocketChannel listener = Provider.JDK.get().openServerSocketChannel();
        FILLERS.add(listener);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        boolean full = false;
        while (!full) {
            SocketChannel filler = Provider.JDK.socket();
            FILLERS.add(filler);
            filler.configureBlocking(false);
            filler.connect(listener.getLocalAddress());
            long start = System.nanoTime();
            while (!full && !filler.finishConnect()) {
                full = System.nanoTime() - start > 500_000_000;
                Thread.onSpinWait();
            }
        }
        return listener.getLocalAddress();
    }
}
