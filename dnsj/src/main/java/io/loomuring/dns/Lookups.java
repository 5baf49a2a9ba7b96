package io.loomuring.dns;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Answers from the cache, else from the servers, with one query in flight a question: whoever asks
 * first asks the servers, on its own thread, and the others wait for it. As long as one
 * configuration of servers is in force.
 */
final class Lookups implements AutoCloseable {
    /** RFC 8767, section 5: how long a client is let wait before it gets a stale answer. */
    private static final Duration STALE_AFTER = Duration.ofMillis(1800);

    private final Upstream upstream;
    private final AnswerCache cache;
    private final Counters counters;
    private final ConcurrentHashMap<Question, CompletableFuture<Answer>> flights =
            new ConcurrentHashMap<>();

    Lookups(Upstream upstream, AnswerCache cache, Counters counters) {
        this.upstream = upstream;
        this.cache = cache;
        this.counters = counters;
    }

    /** The answers, in the order of the questions, which differ. */
    Answer[] ask(List<Question> questions) {
        var answers = new Answer[questions.size()];
        List<Integer> mine = null;
        List<Integer> others = null;
        var futures = new CompletableFuture<?>[questions.size()];
        for (int i = 0; i < answers.length; i++) {
            Question question = questions.get(i);
            answers[i] = cached(question);
            if (answers[i] == null) {
                answers[i] = staleOr(question);
            }
            if (answers[i] == null) {
                var flight = new CompletableFuture<Answer>();
                var present = flights.putIfAbsent(question, flight);
                futures[i] = present == null ? flight : present;
                if (present == null) {
                    mine = add(mine, i);
                } else {
                    others = add(others, i);
                }
            }
        }
        if (mine != null) {
            fly(questions, mine, futures, answers);
        }
        if (others != null) {
            for (int i : others) {
                counters.shared.increment();
                @SuppressWarnings("unchecked")
                var flight = (CompletableFuture<Answer>) futures[i];
                answers[i] = await(flight, upstream.longest().plusSeconds(1));
                if (answers[i] == null) {
                    // Its thread doesn't get on, perhaps for want of the carrier we keep.
                    answers[i] = upstream.ask(List.of(questions.get(i)))[0];
                }
            }
        }
        return answers;
    }

    private static List<Integer> add(List<Integer> list, int i) {
        List<Integer> all = list == null ? new ArrayList<>(2) : list;
        all.add(i);
        return all;
    }

    private Answer cached(Question question) {
        Answer answer = cache.fresh(question);
        if (answer != null) {
            (answer.found() ? counters.hits : counters.negativeHits).increment();
        }
        return answer;
    }

    /** Asks the servers what this thread has put into flight. */
    private void fly(
            List<Question> questions,
            List<Integer> mine,
            CompletableFuture<?>[] futures,
            Answer[] answers) {
        try {
            var open = new ArrayList<Integer>(mine.size());
            for (int i : mine) {
                // a flight may have ended between our look into the cache and our own flight
                answers[i] = cache.fresh(questions.get(i));
                if (answers[i] == null) {
                    open.add(i);
                }
            }
            if (!open.isEmpty()) {
                Answer[] fresh = upstream.ask(open.stream().map(questions::get).toList());
                for (int k = 0; k < fresh.length; k++) {
                    answers[open.get(k)] = fresh[k];
                    cache.put(questions.get(open.get(k)), fresh[k]);
                }
            }
        } finally {
            for (int i : mine) {
                @SuppressWarnings("unchecked")
                var flight = (CompletableFuture<Answer>) futures[i];
                flights.remove(questions.get(i), flight);
                flight.complete(answers[i]); // null after an error: the others ask themselves
            }
        }
    }

    /** With a stale answer at hand, another thread asks, and the caller waits a little only. */
    private Answer staleOr(Question question) {
        Answer stale = cache.stale(question);
        if (stale == null) {
            return null;
        }
        var flight = new CompletableFuture<Answer>();
        var present = flights.putIfAbsent(question, flight);
        if (present == null) {
            var futures = new CompletableFuture<?>[] {flight};
            Threads.start(
                    "dnsj-refresh",
                    () -> fly(List.of(question), List.of(0), futures, new Answer[1]));
        }
        Answer answer = await(present == null ? flight : present, STALE_AFTER);
        if (answer != null && answer.conclusive()) {
            return answer;
        }
        counters.staleHits.increment();
        return stale;
    }

    /** Its result, or null if it takes longer or fails. Not to be interrupted. */
    private static Answer await(CompletableFuture<Answer> flight, Duration longest) {
        long deadline = System.nanoTime() + longest.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return flight.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException | TimeoutException e) {
                    return null;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    int cached() {
        return cache.size();
    }

    List<String> servers() {
        return upstream.describe();
    }

    @Override
    public void close() {
        upstream.close();
    }
}
