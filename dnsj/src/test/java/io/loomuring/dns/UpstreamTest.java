package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Type;

import java.util.List;

class UpstreamTest {
    private static final int IN_TURN = 1000;

    private final ScriptedServer server =
            new ScriptedServer(asked -> List.of(asked.with(asked.name() + " 60 A 10.0.0.1")));
    private final Upstream upstream =
            new Upstream(
                    ResolvConf.parse("nameserver 127.0.0.1\n", null, null, "host", server.port()),
                    1,
                    false,
                    false,
                    new Counters());
    private final Window window = upstream.servers.getFirst().window;

    @AfterEach
    void close() {
        upstream.close();
        server.close();
    }

    private void ask(String name) {
        var question = new Question(ScriptedServer.name(name), Type.A);
        assertThat(upstream.ask(List.of(question))[0].found()).isTrue();
    }

    @Test
    void shouldAskABusyServerInTurn() {
        long start = System.nanoTime();
        for (int i = 0; i < Window.AT_ONCE + IN_TURN; i++) {
            window.enter(start);
        }
        ask("a.test.");
        assertThat(System.nanoTime() - start).isGreaterThan(IN_TURN * Window.TURN_NANOS);
    }

    @Test
    void shouldLeaveTheServerToOthers() {
        for (int i = 0; i <= Window.AT_ONCE; i++) {
            ask("n" + i + ".test.");
        }
        assertThat(window.enter(System.nanoTime())).isZero();
    }
}
