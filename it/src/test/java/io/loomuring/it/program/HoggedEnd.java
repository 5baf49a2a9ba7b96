package io.loomuring.it.program;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/**
 * Ends while more virtual threads compute than there are carriers: by the end of {@code main}, or
 * with the argument {@code exit} by another virtual thread. A shutdown hook talks to a virtual
 * thread of its own by a socket, and prints what came back.
 */
public final class HoggedEnd {
    private HoggedEnd() {}

    private static final int EXIT_CODE = 7;
    private static final int HOGS = 3;

    public static void main(String[] arguments) throws Exception {
        boolean exit = arguments.length > 0 && arguments[0].equals("exit");
        Runtime.getRuntime().addShutdownHook(new Thread(HoggedEnd::talk));
        var begun = new CountDownLatch(HOGS);
        for (int i = 0; i < HOGS; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        begun.countDown();
                        while (true) {
                            Thread.onSpinWait();
                        }
                    });
        }
        begun.await();
        System.out.println("ends");
        if (exit) {
            Thread.ofVirtual().start(() -> System.exit(EXIT_CODE)).join();
        }
    }

    private static void talk() {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answer(listener));
            try (var socket = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                socket.getOutputStream().write(42);
                System.out.println("answer: " + socket.getInputStream().read());
            }
        } catch (IOException e) {
            System.out.println("no answer: " + e);
        }
    }

    private static void answer(ServerSocket listener) {
        try (Socket socket = listener.accept()) {
            socket.getOutputStream().write(socket.getInputStream().read());
        } catch (IOException e) {
            System.out.println("no answer: " + e);
        }
    }
}
