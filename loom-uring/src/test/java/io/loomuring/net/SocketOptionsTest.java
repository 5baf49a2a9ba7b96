package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.net.ExtendedSocketOptions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Options of Socket and ServerSocket: each call answers as it does on the JDK's own. */
@Timeout(60) // seconds a test; interrupts it
class SocketOptionsTest {

    /** What calls answer, one line each. */
    private static final class Answers {
        final List<String> lines = new ArrayList<>();

        void add(String what, Callable<?> call) {
            String answer;
            try {
                answer = String.valueOf(call.call());
            } catch (Exception e) {
                answer = e.toString();
            }
            lines.add(what + ": " + answer);
        }

        void run(String what, Action action) {
            add(
                    what,
                    () -> {
                        action.run();
                        return "done";
                    });
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    @Test
    void shouldAnswerAsTheJdksSocketsDo() throws Exception {
        List<String> ours = socketAnswers(Provider.OURS);
        assertThat(ours).isEqualTo(socketAnswers(Provider.JDK)).hasSizeGreaterThan(50);
    }

    @Test
    void shouldAnswerAsTheJdksServerSocketsDo() throws Exception {
        List<String> ours = serverAnswers(Provider.OURS);
        assertThat(ours).isEqualTo(serverAnswers(Provider.JDK)).hasSizeGreaterThan(20);
    }

    private static List<String> socketAnswers(Provider provider) throws Exception {
        var answers = new Answers();
        ask(answers, "new", provider.plainSocket());
        try (var pair = provider.plainPair()) {
            ask(answers, "connected", pair.client());
            ask(answers, "accepted", pair.server());
            pair.client().close();
            ask(answers, "closed", pair.client());
        }
        return answers.lines;
    }

    private static void ask(Answers answers, String state, Socket socket) throws Exception {
        answers.add(state, () -> names(socket.supportedOptions()));
        set(answers, state, socket);
        answers.add(state + " nodelay", socket::getTcpNoDelay);
        answers.add(state + " linger", socket::getSoLinger);
        answers.add(state + " inline", socket::getOOBInline);
        answers.add(state + " timeout", socket::getSoTimeout);
        answers.add(state + " sndbuf", socket::getSendBufferSize);
        answers.add(state + " rcvbuf", socket::getReceiveBufferSize);
        answers.add(state + " keepalive", socket::getKeepAlive);
        answers.add(state + " tos", socket::getTrafficClass);
        answers.add(state + " reuse", socket::getReuseAddress);
        for (SocketOption<?> option : sorted(socket.supportedOptions())) {
            answers.add(state + " " + option, () -> socket.getOption(option));
        }
        answers.add(state, () -> socket.getOption(StandardSocketOptions.IP_MULTICAST_TTL));
        socket.close();
    }

    private static void set(Answers answers, String state, Socket socket) {
        answers.run(state + " nodelay", () -> socket.setTcpNoDelay(true));
        answers.run(state + " linger", () -> socket.setSoLinger(true, 7));
        answers.run(state + " linger off", () -> socket.setSoLinger(false, 7));
        answers.run(state + " linger < 0", () -> socket.setSoLinger(true, -1));
        answers.run(state + " inline", () -> socket.setOOBInline(true));
        answers.run(state + " timeout", () -> socket.setSoTimeout(123));
        answers.run(state + " timeout < 0", () -> socket.setSoTimeout(-1));
        answers.run(state + " sndbuf", () -> socket.setSendBufferSize(30_000));
        answers.run(state + " sndbuf 0", () -> socket.setSendBufferSize(0));
        answers.run(state + " rcvbuf", () -> socket.setReceiveBufferSize(30_000));
        answers.run(state + " keepalive", () -> socket.setKeepAlive(true));
        answers.run(state + " tos", () -> socket.setTrafficClass(0x10));
        answers.run(state + " tos", () -> socket.setTrafficClass(256));
        answers.run(state + " reuse", () -> socket.setReuseAddress(true));
        answers.run(
                state + " SO_LINGER", () -> socket.setOption(StandardSocketOptions.SO_LINGER, 3));
        answers.run(
                state + " SO_SNDBUF", () -> socket.setOption(StandardSocketOptions.SO_SNDBUF, -1));
        answers.run(state + " null", () -> socket.setOption(StandardSocketOptions.SO_SNDBUF, null));
        answers.run(
                state + " idle", () -> socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 77));
        answers.run(
                state + " ttl", () -> socket.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 1));
        answers.run(
                state + " port", () -> socket.setOption(StandardSocketOptions.SO_REUSEPORT, true));
    }

    private static List<String> serverAnswers(Provider provider) throws Exception {
        var answers = new Answers();
        ask(answers, "new", provider.unboundServerSocket());
        ServerSocket bound = provider.serverSocket();
        ask(answers, "bound", bound);
        ask(answers, "closed", bound);
        return answers.lines;
    }

    private static void ask(Answers answers, String state, ServerSocket server) throws Exception {
        answers.add(state, () -> names(server.supportedOptions()));
        answers.run(state + " timeout", () -> server.setSoTimeout(99));
        answers.run(state + " timeout < 0", () -> server.setSoTimeout(-99));
        answers.run(state + " reuse", () -> server.setReuseAddress(false));
        answers.run(state + " rcvbuf", () -> server.setReceiveBufferSize(20_000));
        answers.run(state + " rcvbuf", () -> server.setReceiveBufferSize(-1));
        answers.add(state + " timeout", server::getSoTimeout);
        answers.add(state + " reuse", server::getReuseAddress);
        answers.add(state + " rcvbuf", server::getReceiveBufferSize);
        answers.run(state + " tos", () -> server.setOption(StandardSocketOptions.IP_TOS, 8));
        answers.run(
                state + " nodelay",
                () -> server.setOption(StandardSocketOptions.TCP_NODELAY, true));
        for (SocketOption<?> option : sorted(server.supportedOptions())) {
            answers.add(state + " " + option, () -> server.getOption(option));
        }
        if (!state.equals("new")) {
            server.close();
        }
    }

    private static List<SocketOption<?>> sorted(java.util.Set<SocketOption<?>> options) {
        var sorted = new ArrayList<>(options);
        sorted.removeIf(option -> option.name().equals("SO_INCOMING_NAPI_ID")); // as packets come
        sorted.sort(java.util.Comparator.comparing(SocketOption::name));
        return sorted;
    }

    private static List<String> names(java.util.Set<SocketOption<?>> options) {
        return options.stream().map(SocketOption::name).sorted().toList();
    }
}
