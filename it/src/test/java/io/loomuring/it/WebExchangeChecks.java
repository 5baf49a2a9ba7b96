package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomuring.it.web.Answer;
import io.loomuring.it.web.Ask;
import io.loomuring.it.web.Body;
import io.loomuring.it.web.ClientKind;
import io.loomuring.it.web.Content;
import io.loomuring.it.web.RawConnection;
import io.loomuring.it.web.ServerKind;
import io.loomuring.it.web.Site;
import io.loomuring.it.web.WebClient;
import io.loomuring.it.web.WebServer;
import io.loomuring.it.web.Wire;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** Every server with every client that speaks to it: the same on the JDK's own and on the rings. */
@ParameterizedClass(name = "{0} over {1}, {2} client")
@MethodSource("settings")
@Timeout(120)
abstract class WebExchangeChecks {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration TOO_SHORT = Duration.ofMillis(200);
    private static final Duration IDLE_LIMIT = Duration.ofMinutes(1);
    private static final long[] BODY_LENGTHS = {0, 1, 70_000, Settings.size(1, 300) * 1_000_000L};
    private static final int REQUESTS_IN_A_ROW = 20;
    private static final int REQUESTS_AT_ONCE = 200;
    private static final int REQUESTS_AT_ONCE_TLS = 20; // a handshake each
    private static final int BODY_LENGTH_LOG2_MAX = 16;
    private static final int REQUESTS_WHEN_STOPPED = 20;
    private static final long LENGTH_WHEN_STOPPED = 500_000;

    @Parameter(0)
    ServerKind serverKind;

    @Parameter(1)
    Wire wire;

    @Parameter(2)
    ClientKind clientKind;

    private final Site site = new Site();
    private WebServer server;
    private WebClient client;

    static Stream<Arguments> settings() {
        var settings = new ArrayList<Arguments>();
        for (ServerKind server : ServerKind.values()) {
            for (Wire wire : server.wires()) {
                for (ClientKind client : ClientKind.values()) {
                    if (client.speaksTo(server, wire)) {
                        settings.add(Arguments.of(server, wire, client));
                    }
                }
            }
        }
        return settings.stream();
    }

    @BeforeEach
    void start() throws Exception {
        server = serverKind.start(site, wire, IDLE_LIMIT);
        client = clientKind.open(server.address(), wire);
    }

    @AfterEach
    void stop() throws Exception {
        site.release();
        if (client != null) {
            client.close();
        }
        server.stop(Duration.ZERO);
    }

    private Answer askAndCheck(Ask ask) throws Exception {
        return check(ask, client.ask(ask, LIMIT));
    }

    private Answer check(Ask ask, Answer answer) {
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.uploaded()).isEqualTo(Content.tally(ask.upload().length()));
        assertThat(answer.downloaded()).isEqualTo(Content.tally(ask.download().length()));
        if (wire != Wire.TLS) { // Jetty goes from a handshake to a handler on the same thread
            assertThat(answer.thread()).isEqualTo(serverKind.handlerThread());
        }
        if (!ask.download().chunked()) {
            assertThat(answer.contentLength()).isEqualTo(ask.download().length());
        } else if (ask.download().length() > 0) {
            assertThat(answer.contentLength()).as("no length").isEqualTo(-1);
        }
        return answer;
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void shouldCarryBodiesBothWays(boolean chunkedUpload, boolean chunkedDownload)
            throws Exception {
        for (long length : BODY_LENGTHS) {
            askAndCheck(
                    new Ask(new Body(length, chunkedUpload), new Body(length, chunkedDownload)));
        }
    }

    @Test
    void shouldKeepTheConnectionFromRequestToRequest() throws Exception {
        String first = askAndCheck(new Ask(Body.fixed(10), Body.fixed(10))).connection();
        for (int i = 0; i < REQUESTS_IN_A_ROW; i++) {
            Body body = new Body(1000L * i, i % 2 == 0);
            assertThat(askAndCheck(new Ask(body, body)).connection()).isEqualTo(first);
        }
    }

    @Test
    void shouldAnswerManyRequestsAtOnce() throws Exception {
        int requests = wire == Wire.TLS ? REQUESTS_AT_ONCE_TLS : REQUESTS_AT_ONCE;
        int held = Math.min(requests, serverKind.heldMax());
        SplittableRandom random = Settings.random("requests");
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<Answer>>();
            for (int i = 0; i < requests; i++) {
                var ask = new Ask(someBody(random), someBody(random), i < held);
                answers.add(executor.submit(() -> askAndCheck(ask)));
            }
            awaitHolding(held);
            site.release();
            for (Future<Answer> answer : answers) {
                answer.get();
            }
        }
        assertThat(site.broken()).isZero();
    }

    private static Body someBody(SplittableRandom random) {
        int lengthMax = 1 << random.nextInt(BODY_LENGTH_LOG2_MAX + 1);
        return new Body(random.nextInt(lengthMax + 1), random.nextBoolean());
    }

    private void awaitHolding(int requests) {
        Patience.await(
                () -> site.holding() + " requests held, not " + requests,
                LIMIT,
                () -> site.holding() == requests);
    }

    private void awaitNoneOpen() {
        Patience.await(() -> site.open() + " requests open", LIMIT, () -> site.open() == 0);
    }

    @Test
    void shouldTimeOutAndGoOn() throws Exception {
        askAndCheck(new Ask(Body.EMPTY, Body.EMPTY));
        long start = System.nanoTime();
        assertThatThrownBy(() -> client.ask(Ask.held(Body.EMPTY, Body.fixed(10)), TOO_SHORT))
                .isInstanceOf(clientKind.timeoutException());
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(TOO_SHORT.dividedBy(2), LIMIT);
        site.release();
        awaitNoneOpen();
        askAndCheck(new Ask(Body.fixed(10), Body.fixed(10)));
    }

    @Test
    void shouldEndTheRequestsUnderWayWhenStopped() throws Exception {
        assumeFalse(
                serverKind.name().startsWith("JETTY") && wire == Wire.UNIX,
                "Jetty may leave such an answer without an end, on the stock JDK too");
        int requests = Math.min(REQUESTS_WHEN_STOPPED, serverKind.heldMax());
        var stopFailure = new FirstFailure();
        Thread stopper =
                Thread.ofPlatform().unstarted(stopFailure.guard("stop", () -> server.stop(LIMIT)));
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<Answer>>();
            for (int i = 0; i < requests; i++) {
                var ask =
                        Ask.held(
                                Body.fixed(LENGTH_WHEN_STOPPED),
                                new Body(LENGTH_WHEN_STOPPED, i % 2 == 0));
                answers.add(executor.submit(() -> askAndCheck(ask)));
            }
            awaitHolding(requests);
            stopper.start();
            if (requests > 1) { // else what would end the listening is held
                awaitRefused();
            }
            site.release();
            for (Future<Answer> answer : answers) {
                answer.get();
            }
        }
        Patience.join(List.of(stopper), LIMIT);
        stopFailure.rethrow();
        awaitRefused();
        assertThat(site.broken()).isZero();
    }

    private void awaitRefused() {
        Patience.await(
                () -> "still accepts",
                LIMIT,
                () -> {
                    try (var _ = RawConnection.open(server.address(), wire)) {
                        return false;
                    } catch (IOException e) {
                        return true;
                    }
                });
    }
}
