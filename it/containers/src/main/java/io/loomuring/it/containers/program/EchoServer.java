package io.loomuring.it.containers.program;

import jdk.management.VirtualThreadSchedulerMXBean;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Answers every connection with what it sends, a virtual thread for each, until SIGTERM. Prints
 * {@code processors=} and {@code parallelism=}, what carries its threads as {@code carrier=}, and
 * {@code port=} once it listens. With the argument {@code patient} it goes on when it can't accept.
 */
public final class EchoServer {
    private EchoServer() {}

    private static final int PORT = 7000;
    private static final int BACKLOG = 1024;
    private static final int BUFFER_BYTES = 4096;
    private static final long PATIENCE_NANOS = 10_000_000;

    public static void main(String[] arguments) throws Exception {
        boolean patient = List.of(arguments).contains("patient");
        System.out.println("processors=" + Runtime.getRuntime().availableProcessors());
        System.out.println(
                "parallelism="
                        + ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class)
                                .getParallelism());
        Thread.ofVirtual().name("acceptor").start(() -> serve(patient)).join();
    }

    private static void serve(boolean patient) {
        String thread = Thread.currentThread().toString();
        System.out.println("carrier=" + thread.substring(thread.lastIndexOf('@') + 1));
        try (var listener = new ServerSocket(PORT, BACKLOG)) {
            System.out.println("port=" + listener.getLocalPort());
            do {
                accept(listener);
                LockSupport.parkNanos(PATIENCE_NANOS);
            } while (patient);
        } catch (IOException e) {
            System.err.println("listen: " + e);
        }
    }

    private static void accept(ServerSocket listener) {
        try {
            while (true) {
                Socket connection = listener.accept();
                Thread.ofVirtual().start(() -> echo(connection));
            }
        } catch (IOException e) {
            System.err.println("accept: " + e);
        }
    }

    private static void echo(Socket connection) {
        try (connection) {
            InputStream in = connection.getInputStream();
            byte[] bytes = new byte[BUFFER_BYTES];
            int count;
            while ((count = in.read(bytes)) >= 0) {
                connection.getOutputStream().write(bytes, 0, count);
            }
        } catch (IOException e) {
            System.err.println("echo: " + e);
        }
    }
}
