package io.loomuring.dns;

import io.loomuring.dns.Exchange.Style;
import io.loomuring.dns.LookupException.Reason;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The servers of one configuration. A round asks one server after the other until one has a
 * conclusive answer, as glibc's res_nsend does; there are as many rounds as configured.
 */
final class Upstream implements AutoCloseable {
    private final ResolvConf conf;
    private final boolean randomCase;
    private final boolean edns;
    private final Counters counters;
    final List<Server> servers;
    private final AtomicInteger rotation = new AtomicInteger();

    Upstream(
            ResolvConf conf, int concurrency, boolean randomCase, boolean edns, Counters counters) {
        this.conf = conf;
        this.randomCase = randomCase;
        this.edns = edns;
        this.counters = counters;
        var byAddress = new ConcurrentHashMap<InetSocketAddress, Server>();
        servers =
                conf.servers().stream()
                        .map(address ->
                                byAddress.computeIfAbsent(
                                        address, a -> new Server(a, concurrency, counters)))
                        .toList();
    }

    /** Questions that are asked side by side. */
    private final class Batch {
        final List<Question> questions;
        final Answer[] answers;
        boolean interrupted;

        Batch(List<Question> questions) {
            this.questions = questions;
            this.answers = new Answer[questions.size()];
        }

        /** Asks this server whatever has no conclusive answer; whether all have one now. */
        boolean ask(Server server, Duration timeout) {
            awaitTurn(server.window);
            try {
                if (conf.singleRequest()) {
                    askOneByOne(server, timeout);
                } else {
                    askSideBySide(server, timeout);
                }
            } finally {
                server.window.leave();
            }
            for (int i = 0; i < answers.length; i++) {
                if (isOpen(i)) {
                    return false;
                }
            }
            return true;
        }

        /** An interrupt ends the wait: it is asked early. */
        private void awaitTurn(Window window) {
            long nanos = window.enter(System.nanoTime());
            if (nanos > 0) {
                try {
                    Thread.sleep(Duration.ofNanos(nanos));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }

        private void askOneByOne(Server server, Duration timeout) {
            for (int i = 0; i < answers.length; i++) {
                if (isOpen(i)) {
                    finish(i, start(i, server, timeout), server, timeout);
                }
            }
        }

        private void askSideBySide(Server server, Duration timeout) {
            var exchanges = new Exchange[answers.length];
            for (int i = 0; i < answers.length; i++) {
                if (isOpen(i)) {
                    exchanges[i] = start(i, server, timeout);
                }
            }
            for (int i = 0; i < answers.length; i++) {
                if (exchanges[i] != null) {
                    finish(i, exchanges[i], server, timeout);
                }
            }
        }

        private boolean isOpen(int i) {
            return answers[i] == null || !answers[i].conclusive();
        }

        private Exchange start(int i, Server server, Duration timeout) {
            return start(i, server, timeout, edns && !server.plainOnly);
        }

        private Exchange start(int i, Server server, Duration timeout, boolean withEdns) {
            var exchange =
                    new Exchange(
                            server,
                            questions.get(i),
                            new Style(conf.useTcp(), conf.trustAd(), randomCase, withEdns),
                            System.nanoTime() + timeout.toNanos(),
                            counters);
            exchange.start();
            return exchange;
        }

        private void finish(int i, Exchange exchange, Server server, Duration timeout) {
            Answer answer = exchange.await();
            while (exchange.interrupted()) {
                // Look-ups can't be interrupted in Java: once more, with a new socket.
                interrupted = true;
                exchange = start(i, server, timeout);
                answer = exchange.await();
            }
            if (exchange.refusesEdns()) {
                exchange = start(i, server, timeout, false);
                answer = exchange.await();
                server.plainOnly = answer.conclusive();
            }
            count(answer);
            // what a server says tells more than that another said nothing
            if (answers[i] == null || answer.conclusive() || isSilence(answers[i])) {
                answers[i] = answer;
            }
        }
    }

    private void count(Answer answer) {
        if (answer.reason() == Reason.TIMEOUT) {
            counters.timeouts.increment();
        } else if (!answer.conclusive()) {
            counters.failures.increment();
        }
    }

    private static boolean isSilence(Answer answer) {
        return answer.reason() == Reason.TIMEOUT || answer.reason() == Reason.UNREACHABLE;
    }

    /** The answers, in the order of the questions. Not to be interrupted. */
    Answer[] ask(List<Question> questions) {
        var batch = new Batch(questions);
        batch.interrupted = Thread.interrupted();
        try {
            int first =
                    conf.rotate() ? Math.floorMod(rotation.getAndIncrement(), servers.size()) : 0;
            for (int round = 0; round < conf.attempts(); round++) {
                for (int place = 0; place < servers.size(); place++) {
                    Server server = servers.get((first + place) % servers.size());
                    if (batch.ask(server, conf.timeout(place))) {
                        return batch.answers;
                    }
                }
            }
            return batch.answers;
        } finally {
            if (batch.interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** How long {@link #ask} takes at most, but for questions that have to be asked again. */
    Duration longest() {
        Duration round = Duration.ZERO;
        for (int place = 0; place < servers.size(); place++) {
            round = round.plus(conf.timeout(place));
        }
        return round.multipliedBy(conf.attempts());
    }

    List<String> describe() {
        var texts = new ArrayList<String>();
        servers.forEach(server -> texts.add(server.toString()));
        return texts;
    }

    @Override
    public void close() {
        servers.forEach(Server::close);
    }
}
