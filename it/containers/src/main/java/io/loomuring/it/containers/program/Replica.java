package io.loomuring.it.containers.program;

import java.net.ServerSocket;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A web server, NAME: it answers {@code /ID} with "ID NAME". Prints {@code port=} when it listens
 * and {@code first=} when it has the first request; ends by SIGTERM, as {@link Http.Server} does.
 */
public final class Replica {
    private Replica() {}

    private static final int PORT = 8080;
    private static final int BACKLOG = 1024;

    public static void main(String[] arguments) throws Exception {
        String name = arguments[0];
        var first = new AtomicBoolean(true);
        try (var listener = new ServerSocket(PORT, BACKLOG)) {
            System.out.println("port=" + PORT);
            new Http.Server(
                            listener,
                            () ->
                                    path -> {
                                        if (first.compareAndSet(true, false)) {
                                            System.out.println("first=" + path);
                                        }
                                        return path.substring(1) + " " + name;
                                    })
                    .serve();
        }
    }
}
