package io.loomuring.it.program;

import io.loomuring.LoomUring;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;

/**
 * Prints what carries threads of {@code LoomUring.threadFactory()} and others, before and after
 * {@code install()}; in between, threads of the factory exchange a message.
 */
public final class FactoryProbe {
    private FactoryProbe() {}

    public static void main(String[] arguments) throws Exception {
        ThreadFactory factory = LoomUring.threadFactory();
        try (var listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            printCarriers(factory);
            var answer = new FutureTask<>(() -> answer(listener));
            var ask = new FutureTask<>(() -> ask(listener));
            factory.newThread(answer).start();
            factory.newThread(ask).start();
            System.out.println("answer: " + ask.get());
        }
        System.out.println("installed: " + LoomUring.install());
        printCarriers(factory);
    }

    private static void printCarriers(ThreadFactory factory) throws Exception {
        System.out.println("factory: " + carrierOf(factory));
        System.out.println("others: " + carrierOf(Thread.ofVirtual().factory()));
    }

    private static String carrierOf(ThreadFactory factory) throws Exception {
        var carrier =
                new FutureTask<>(() -> {
                    String thread = Thread.currentThread().toString();
                    return thread.substring(thread.lastIndexOf('@') + 1).replaceAll("-[0-9]+", "");
                });
        factory.newThread(carrier).start();
        return carrier.get();
    }

    private static Void answer(ServerSocketChannel listener) throws IOException {
        try (SocketChannel connection = listener.accept()) {
            ByteBuffer message = ByteBuffer.allocate(1);
            connection.read(message);
            connection.write(message.flip());
        }
        return null;
    }

    private static byte ask(ServerSocketChannel listener) throws IOException {
        try (var connection = SocketChannel.open(listener.getLocalAddress())) {
            connection.write(ByteBuffer.wrap(new byte[] {42}));
            ByteBuffer answer = ByteBuffer.allocate(1);
            connection.read(answer);
            return answer.get(0);
        }
    }
}
