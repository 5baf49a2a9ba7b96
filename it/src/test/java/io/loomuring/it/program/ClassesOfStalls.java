package io.loomuring.it.program;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Blocks every carrier while others want to go on, by a thread that computes and by one that waits
 * for the writer of a FIFO, {@code CARRIERS FIFO}; prints what classes scheduler's threads loaded
 * from the first stall on, one {@code THREAD: CLASS} a line, and {@code fine N}, N being the
 * messages that were exchanged while no carrier was free.
 */
public final class ClassesOfStalls {
    private ClassesOfStalls() {}

    private static final int CONNECTIONS = 4;
    private static final Duration STALL = Duration.ofMillis(200);

    public static void main(String[] arguments) throws Exception {
        int carriers = Integer.parseInt(arguments[0]);
        Path fifo = Path.of(arguments[1]);
        var done = new AtomicBoolean();
        var messages = new AtomicLong();
        var threads = new Thread[2 * CONNECTIONS];
        try (var recording = new Recording();
                var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            for (int i = 0; i < CONNECTIONS; i++) {
                var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
                Socket server = listener.accept();
                threads[2 * i] = Thread.ofVirtual().start(() -> echo(server));
                threads[2 * i + 1] = Thread.ofVirtual().start(() -> ask(client, done, messages));
            }
            recording.enable("jdk.ClassLoad").withoutThreshold().withoutStackTrace();
            recording.start();
            long before = messages.get();
            run(carriers, ClassesOfStalls::compute);
            Thread reader = run(1, () -> read(fifo));
            Thread.sleep(STALL);
            new FileOutputStream(fifo.toFile()).close();
            reader.join();
            long during = messages.get() - before;
            recording.stop();
            Path file = Files.createTempFile("stalls", ".jfr");
            try {
                recording.dump(file);
                for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                    String thread = String.valueOf(event.getThread().getJavaName());
                    if (thread.startsWith("loom-uring")) {
                        System.out.println(thread + ": " + event.getClass("loadedClass").getName());
                    }
                }
            } finally {
                Files.delete(file);
            }
            done.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println("fine " + during);
        }
    }

    /** Starts so many and, if they end by themselves, waits for them; the last one. */
    private static Thread run(int count, Runnable hog) throws InterruptedException {
        var hogs = new Thread[count];
        for (int i = 0; i < count; i++) {
            hogs[i] = Thread.ofVirtual().start(hog);
        }
        Thread last = hogs[count - 1];
        last.join(STALL.multipliedBy(2));
        return last;
    }

    private static void compute() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < STALL.toNanos()) {
            Thread.onSpinWait();
        }
    }

    private static void read(Path fifo) {
        try {
            new FileInputStream(fifo.toFile()).close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void echo(Socket socket) {
        try (socket) {
            int read;
            while ((read = socket.getInputStream().read()) >= 0) {
                socket.getOutputStream().write(read);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void ask(Socket socket, AtomicBoolean done, AtomicLong messages) {
        try (socket) {
            socket.setSoTimeout(10_000); // a deadline for each read
            while (!done.get()) {
                socket.getOutputStream().write(1);
                if (socket.getInputStream().read() != 1) {
                    throw new IOException("the answer is another");
                }
                messages.incrementAndGet();
                Thread.sleep(1);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
