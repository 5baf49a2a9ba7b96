package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SocketImplHook;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.Callable;

/** Sockets that are older than the installation go on working, with each other and with ours. */
class OlderSocketTest {
    private static final ServerSocket SERVER;
    private static final Socket SOCKET = new Socket();
    private static final DatagramSocket DATAGRAM_SOCKET;

    static {
        try {
            SERVER = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            DATAGRAM_SOCKET = new DatagramSocket(0, InetAddress.getLoopbackAddress());
            assertThat(SocketImplHook.isInstalled()).isFalse();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldAcceptInAServerSocketThatIsOlder(ThreadKind thread) throws Exception {
        LoomUring.install();
        var accept = Attempt.start(thread, (Callable<Socket>) SERVER::accept);
        try (var client = new Socket(SERVER.getInetAddress(), SERVER.getLocalPort());
                Socket accepted = accept.get()) {
            client.getOutputStream().write(3);
            assertThat(accepted.getInputStream().read()).isEqualTo(3);
            accepted.getOutputStream().write(4);
            assertThat(client.getInputStream().read()).isEqualTo(4);
        }
    }

    @Test
    void shouldConnectASocketThatIsOlder() throws Exception {
        LoomUring.install();
        try (var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            SOCKET.connect(server.getLocalSocketAddress());
            try (Socket accepted = server.accept()) {
                SOCKET.getOutputStream().write(3);
                assertThat(accepted.getInputStream().read()).isEqualTo(3);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReceiveByADatagramSocketThatIsOlder(ThreadKind thread) throws Exception {
        LoomUring.install();
        var packet = new DatagramPacket(new byte[1], 1);
        var receive =
                Attempt.start(
                        thread,
                        () -> {
                            DATAGRAM_SOCKET.receive(packet);
                            return null;
                        });
        try (var sender = new DatagramSocket()) {
            sender.send(
                    new DatagramPacket(new byte[] {5}, 1, DATAGRAM_SOCKET.getLocalSocketAddress()));
            receive.get();
            assertThat(packet.getData()).containsExactly(5);
        }
    }

    @Test
    void shouldBeHookedOnceOnly() {
        LoomUring.install();
        assertThat(SocketImplHook.isInstalled()).isTrue();
        assertThatThrownBy(SocketImplHook::check)
                .isInstanceOf(UnsupportedJdkException.class)
                .hasMessageContaining("another copy");
        assertThat(List.of(LoomUring.install(), LoomUring.install())).containsOnly(true);
    }
}
