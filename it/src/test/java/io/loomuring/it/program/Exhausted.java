package io.loomuring.it.program;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Virtual threads that run out of memory and of stack, again and again, beside others that talk by
 * sockets, sleep and start threads. Afterwards it prints how many errors there were of each kind,
 * and ends once all of the others have gone on.
 */
public final class Exhausted {
    private Exhausted() {}

    private static final int ROUNDS = 10;
    private static final int EATERS = 4;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int OTHERS = 20;

    private static final AtomicInteger OUT_OF_MEMORY = new AtomicInteger();
    private static final AtomicInteger OUT_OF_STACK = new AtomicInteger();

    private interface Body {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        var done = new AtomicBoolean();
        var wentOn = new CountDownLatch(3 * OTHERS);
        try (var listener = new ServerSocket(0, OTHERS, InetAddress.getLoopbackAddress())) {
            for (int i = 0; i < OTHERS; i++) {
                var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
                Socket server = listener.accept();
                start(() -> echo(server));
                goOn(done, wentOn, () -> exchange(client));
                goOn(done, wentOn, () -> Thread.sleep(1));
                goOn(done, wentOn, () -> start(() -> {}).join());
            }
            List<Thread> eaters = new ArrayList<>();
            for (int i = 0; i < EATERS; i++) {
                eaters.add(start(Exhausted::eat));
            }
            for (Thread eater : eaters) {
                eater.join();
            }
            done.set(true);
            wentOn.await();
        }
        System.out.println("memory " + OUT_OF_MEMORY + " stack " + OUT_OF_STACK);
        System.exit(0);
    }

    private static Thread start(Body body) {
        return Thread.ofVirtual()
                .start(() -> {
                    try {
                        body.run();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
    }

    /** Repeats a step until the end, and then once more without error. */
    private static void goOn(AtomicBoolean done, CountDownLatch wentOn, Body step) {
        start(() -> {
            boolean failed = false;
            while (!done.get() || failed) {
                try {
                    step.run();
                    failed = false;
                } catch (OutOfMemoryError e) {
                    failed = true;
                }
            }
            step.run();
            wentOn.countDown();
        });
    }

    private static void echo(Socket socket) throws IOException {
        while (true) {
            try {
                int read = socket.getInputStream().read();
                if (read < 0) {
                    return;
                }
                socket.getOutputStream().write(read);
            } catch (OutOfMemoryError e) {
                socket.getOutputStream().write('!'); // what was read is lost
            }
        }
    }

    private static void exchange(Socket socket) throws IOException {
        socket.getOutputStream().write('?');
        int answer = socket.getInputStream().read();
        if (answer < 0) {
            throw new IOException("the end instead of an answer");
        }
    }

    private static void eat() {
        for (int round = 0; round < ROUNDS; round++) {
            try {
                allocate();
            } catch (OutOfMemoryError e) {
                OUT_OF_MEMORY.incrementAndGet();
            }
            try {
                recurse(0);
            } catch (StackOverflowError e) {
                OUT_OF_STACK.incrementAndGet();
            }
        }
    }

    private static void allocate() {
        Object[] all = {};
        while (all.length < Integer.MAX_VALUE) { // for ever
            all = new Object[] {all, new byte[CHUNK_BYTES]};
        }
    }

    @SuppressWarnings("InfiniteRecursion") // that is the point
    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }
}
