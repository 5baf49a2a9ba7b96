package io.loomuring.it.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** What all servers serve: counted bytes both ways, at once or when the test says so. */
public final class Site {
    /** The header with the tally of what was received. */
    static final String UPLOADED = "x-uploaded";

    /** The header with the server's name for the connection. */
    static final String CONNECTION = "x-connection";

    /** The header with what ran the handler. */
    static final String THREAD = "x-thread";

    public static final String VIRTUAL = "virtual";
    public static final String PLATFORM = "platform";

    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger holding = new AtomicInteger();
    private final AtomicInteger broken = new AtomicInteger();
    private final CompletableFuture<Void> release = new CompletableFuture<>();
    private final Runnable onRequest;

    public Site() {
        this(() -> {});
    }

    /**
     * A site whose owner keeps a count.
     *
     * @param onRequest called when all of a request has come, before it is answered
     */
    public Site(Runnable onRequest) {
        this.onRequest = onRequest;
    }

    /** Requests that have come and not ended. */
    public int open() {
        return open.get();
    }

    /** Requests whose answers wait for {@link #release}. */
    public int holding() {
        return holding.get();
    }

    /** Requests that have ended without a full answer. */
    public int broken() {
        return broken.get();
    }

    /** Gives the answers that are held, and those that would be. */
    public void release() {
        release.complete(null);
    }

    /** One exchange of a server whose handlers block. */
    interface Exchange {
        String path();

        String connection();

        InputStream upload() throws IOException;

        /** Sends the head of an answer with these headers and that body. */
        OutputStream answer(Map<String, String> headers, Body body) throws IOException;
    }

    void serve(Exchange exchange) throws IOException {
        try (Visit visit = visit(exchange.path(), exchange.connection())) {
            visit.uploaded.add(exchange.upload());
            visit.answerable().join();
            try (OutputStream out = exchange.answer(visit.headers(), visit.download)) {
                new Content(visit.download.length()).transferTo(out);
            }
            visit.answered();
        }
    }

    Visit visit(String path, String connection) {
        return new Visit(Ask.of(path), connection);
    }

    /** One request, through whatever server; used by one thread at a time. */
    final class Visit implements AutoCloseable {
        final Tally uploaded = new Tally();
        final Body download;
        private final boolean held;
        private final String connection;
        private boolean answered;

        private Visit(Ask ask, String connection) {
            download = ask.download();
            held = ask.held();
            this.connection = connection;
            open.incrementAndGet();
        }

        /** Completes when the answer may be given; called when all has been received. */
        CompletableFuture<Void> answerable() {
            onRequest.run();
            if (!held) {
                return CompletableFuture.completedFuture(null);
            }
            holding.incrementAndGet();
            return release.thenRun(holding::decrementAndGet);
        }

        Map<String, String> headers() {
            return Map.of(
                    UPLOADED,
                    uploaded.toString(),
                    CONNECTION,
                    connection,
                    THREAD,
                    Thread.currentThread().isVirtual() ? VIRTUAL : PLATFORM);
        }

        /** The whole answer has been handed over. */
        void answered() {
            answered = true;
        }

        @Override
        public void close() {
            if (!answered) {
                broken.incrementAndGet();
            }
            open.decrementAndGet();
        }
    }
}
