package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomuring.it.web.Answer;
import io.loomuring.it.web.Ask;
import io.loomuring.it.web.Body;
import io.loomuring.it.web.Content;
import io.loomuring.it.web.RawConnection;
import io.loomuring.it.web.ServerKind;
import io.loomuring.it.web.Site;
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
import java.util.stream.Stream;

/** Every server with clients that do what a connection allows, and go away when they like. */
@ParameterizedClass(name = "{0} over {1}")
@MethodSource("settings")
@Timeout(120)
abstract class WebConnectionChecks {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration IDLE_LIMIT = Duration.ofSeconds(1);
    private static final int CLIENTS_THAT_GO = 8;
    private static final int BYTES_BEFORE_GOING = 100_000;
    private static final long BYTES_IN_ALL = 100_000_000;

    static {
        // the JDK's server reads it once: no other server of this JVM can have another limit
        System.setProperty("sun.net.httpserver.idleInterval", "" + IDLE_LIMIT.toSeconds());
        System.setProperty("sun.net.httpserver.clockTick", "" + IDLE_LIMIT.toMillis() / 4);
    }

    @Parameter(0)
    ServerKind serverKind;

    @Parameter(1)
    Wire wire;

    private final Site site = new Site();
    private WebServer server;

    static Stream<Arguments> settings() {
        var settings = new ArrayList<Arguments>();
        for (ServerKind server : ServerKind.values()) {
            for (Wire wire : server.wires()) {
                settings.add(Arguments.of(server, wire));
            }
        }
        return settings.stream();
    }

    @BeforeEach
    void start() throws Exception {
        server = serverKind.start(site, wire, LIMIT);
    }

    @AfterEach
    void stop() throws Exception {
        server.stop(Duration.ZERO);
    }

    private RawConnection connect() throws IOException {
        RawConnection connection = RawConnection.open(server.address(), wire);
        connection.setReadLimit(LIMIT);
        return connection;
    }

    private static void check(Ask ask, Answer answer) {
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.uploaded()).isEqualTo(Content.tally(ask.upload().length()));
        assertThat(answer.downloaded()).isEqualTo(Content.tally(ask.download().length()));
    }

    @Test
    void shouldAnswerAClientThatHasClosedItsHalf() throws Exception {
        assumeFalse(
                serverKind == ServerKind.NETTY && wire == Wire.UNIX,
                "Netty has half-closed connections over TCP alone");
        var ask = new Ask(Body.fixed(500_000), Body.chunked(2_000_000));
        try (RawConnection connection = connect()) {
            // a server that ends the connection by itself before it has read the close_notify
            // resets it, and with it goes what of the answer was still to be sent
            boolean last = wire != Wire.TLS;
            connection.send(ask, last);
            connection.shutdownOutput();
            check(ask, connection.receive());
            assertThat(connection.atEnd()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void shouldOutliveClientsThatGoInTheMiddle(boolean upload, boolean abort) throws Exception {
        Body much = Body.chunked(BYTES_IN_ALL);
        var ask = upload ? new Ask(much, Body.EMPTY) : new Ask(Body.EMPTY, much);
        int clients = Math.min(CLIENTS_THAT_GO, serverKind.heldMax());
        var connections = new ArrayList<RawConnection>();
        for (int i = 0; i < clients; i++) {
            RawConnection connection = connect();
            connections.add(connection);
            if (upload) {
                connection.sendHead(ask, false);
                connection.sendContent(ask.upload(), BYTES_BEFORE_GOING);
                connection.flush();
            } else {
                connection.send(ask, false);
                connection.receive(BYTES_BEFORE_GOING);
            }
        }
        awaitOpen(clients);
        for (RawConnection connection : connections) {
            if (abort) {
                connection.abort();
            } else {
                connection.close();
            }
        }
        awaitOpen(0);
        // what Jetty is given to send after a client's close_notify it throws away, and may call
        // sent
        boolean jetty = serverKind == ServerKind.JETTY || serverKind == ServerKind.JETTY_VIRTUAL;
        boolean mayLookSent = jetty && wire == Wire.TLS && !upload && !abort;
        if (!mayLookSent) {
            assertThat(site.broken()).isEqualTo(clients);
        }
        var last = new Ask(Body.fixed(10), Body.fixed(10));
        try (RawConnection connection = connect()) {
            connection.send(last, false);
            check(last, connection.receive());
        }
    }

    private void awaitOpen(int requests) {
        Patience.await(
                () -> site.open() + " requests open, not " + requests,
                LIMIT,
                () -> site.open() == requests);
    }

    @Test
    void shouldTakeARequestByteByByte() throws Exception {
        var ask = new Ask(Body.chunked(100), Body.fixed(100));
        try (RawConnection connection = connect()) {
            connection.sendByteByByte(RawConnection.bytes(ask));
            check(ask, connection.receive());
        }
    }

    @Test
    void shouldCloseAConnectionThatIsIdle() throws Exception {
        server.stop(Duration.ZERO);
        server = serverKind.start(site, wire, IDLE_LIMIT);
        var ask = new Ask(Body.fixed(10), Body.fixed(10));
        try (RawConnection connection = connect()) {
            connection.send(ask, false);
            check(ask, connection.receive());
            assertThat(connection.atEnd()).isTrue();
        }
    }
}
