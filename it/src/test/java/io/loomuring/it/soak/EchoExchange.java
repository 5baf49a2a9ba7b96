package io.loomuring.it.soak;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/** Over a connection of bytes: a channel's, a socket's, by TLS or not. */
final class EchoExchange implements NumberedExchange {
    /** Before the first message of a connection: who asks. */
    static final int HELLO_BYTES = 4;

    /** What the peer says to that: its entry of the stream. */
    static final int ENTRY_BYTES = 8;

    private static final int SHORT_MILLIS = 5;
    private static final int SMALL_BYTES = 300;
    private static final int RECONNECT_EVERY = 200; // exchanges, on average
    private static final int LARGE_EVERY = 20;

    /** Makes connections. */
    interface Connector {
        Line connect(Guard.Watch watch) throws IOException;
    }

    private final int stream;
    private final Connector connector;
    private final SplittableRandom random;
    private final int impatience; // an exchange in that many gets little time; 0: none
    private final Message message = new Message();
    private final int timeoutMillis;
    private Line line; // null: not connected
    private boolean timed; // whether its API has timeouts
    private Ledger.Entry acknowledged = Ledger.Entry.NONE;
    private int doubtful; // checksum of what was sent without an answer

    EchoExchange(
            int stream,
            Connector connector,
            int timeoutMillis,
            int impatience,
            SplittableRandom random) {
        this.stream = stream;
        this.connector = connector;
        this.timeoutMillis = timeoutMillis;
        this.impatience = impatience;
        this.random = random;
    }

    @Override
    public void attempt(long number, Guard.Watch watch) throws Exception {
        if (line == null) {
            open(watch);
            if (acknowledged.last() == number) {
                return; // it had come, only the answer was lost
            }
        }
        watch.ends(timed ? null : line);
        boolean large = random.nextInt(LARGE_EVERY) == 0;
        int length = random.nextInt(large ? Message.PAYLOAD_BYTES_MAX : SMALL_BYTES);
        message.set(length, stream, number, random.nextInt(large ? length + 1 : SMALL_BYTES));
        int answerLength = message.answerLength();
        doubtful = message.checksum();
        message.send(line);
        if (impatience > 0 && random.nextInt(impatience) == 0) {
            receiveSoon();
        } else {
            message.receive(line);
        }
        if (message.stream() != stream
                || message.number() != number
                || message.answerLength() != answerLength) {
            throw new Violation(
                    "stream %d: asked %d, was answered %d of stream %d"
                            .formatted(stream, number, message.number(), message.stream()));
        }
        acknowledged = acknowledged.and(doubtful);
        if (random.nextInt(RECONNECT_EVERY) == 0) {
            close();
        }
    }

    /** Receives, or not: then the connection ends in the middle, and a new one asks. */
    private void receiveSoon() throws IOException, Violation, InterruptedException {
        Line current = line;
        int millis = random.nextInt(SHORT_MILLIS);
        if (current.setReadLimit(1 + millis)) {
            message.receive(current);
            current.setReadLimit(timeoutMillis);
            return;
        }
        Thread closer =
                Thread.ofVirtual()
                        .start(() -> {
                            LockSupport.parkNanos(millis * 1_000_000L);
                            try {
                                current.close();
                            } catch (IOException e) {
                                // closed is closed
                            }
                        });
        try {
            message.receive(current);
        } finally {
            closer.join();
            line = null;
        }
    }

    /** Connects, and learns how far the peer is: where we are, or one further. */
    private void open(Guard.Watch watch) throws IOException, Violation {
        line = connector.connect(watch);
        timed = line.setReadLimit(timeoutMillis);
        watch.ends(timed ? null : line);
        line.write(ByteBuffer.allocate(HELLO_BYTES).putInt(stream).array(), HELLO_BYTES);
        byte[] answer = new byte[ENTRY_BYTES];
        line.readFully(answer, ENTRY_BYTES);
        acknowledged = settled(Ledger.Entry.of(ByteBuffer.wrap(answer).getLong()));
    }

    private Ledger.Entry settled(Ledger.Entry entry) throws Violation {
        if (entry.equals(acknowledged) || entry.equals(acknowledged.and(doubtful))) {
            return entry;
        }
        throw new Violation(
                "stream %d: the peer is at %s, acknowledged was %s"
                        .formatted(stream, entry, acknowledged));
    }

    @Override
    public void close() throws IOException {
        Line open = line;
        line = null;
        if (open != null) {
            if (random.nextInt(3) == 0) {
                open.abort();
            } else {
                open.close();
            }
        }
    }
}
