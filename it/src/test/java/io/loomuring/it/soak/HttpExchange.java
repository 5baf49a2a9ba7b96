package io.loomuring.it.soak;

import io.loomuring.it.web.Answer;
import io.loomuring.it.web.Ask;
import io.loomuring.it.web.Body;
import io.loomuring.it.web.ClientKind;
import io.loomuring.it.web.Content;
import io.loomuring.it.web.WebClient;
import io.loomuring.it.web.Wire;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * By HTTP: the lengths of request and answer follow from the number, so that another's answer does
 * not fit. Asking twice is allowed, as always with HTTP; what was acknowledged must have come.
 */
final class HttpExchange implements NumberedExchange {
    private static final int LENGTHS = 4001; // a prime, so that lengths don't repeat in step
    private static final int ANSWER_LENGTHS = 7919;

    private final int stream;
    private final ClientKind kind;
    private final Supplier<InetSocketAddress> server;
    private final Duration timeout;
    private final LongAdder asked; // requests that may have come
    private WebClient client;

    HttpExchange(
            int stream,
            ClientKind kind,
            Supplier<InetSocketAddress> server,
            Duration timeout,
            LongAdder asked) {
        this.stream = stream;
        this.kind = kind;
        this.server = server;
        this.timeout = timeout;
        this.asked = asked;
    }

    @Override
    public void attempt(long number, Guard.Watch watch) throws Exception {
        if (client == null) {
            client = kind.open(server.get(), Wire.TCP);
        }
        long up = (number + stream * 17L) % LENGTHS;
        long down = (number * 3 + stream) % ANSWER_LENGTHS;
        boolean chunked = number % 5 == 0;
        asked.increment();
        Answer answer =
                client.ask(new Ask(new Body(up, chunked), new Body(down, chunked)), timeout);
        if (answer.status() != 200
                || !answer.uploaded().equals(Content.tally(up))
                || !answer.downloaded().equals(Content.tally(down))) {
            throw new Violation(
                    "stream %d, request %d of %d for %d bytes was answered by %s"
                            .formatted(stream, number, up, down, answer));
        }
    }

    @Override
    public void close() throws Exception {
        WebClient open = client;
        client = null;
        if (open != null) {
            open.close();
        }
    }
}
