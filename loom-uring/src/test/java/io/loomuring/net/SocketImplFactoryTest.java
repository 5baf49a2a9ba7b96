package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.LoomUring;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;

/** An application that brings its own sockets: they come first, as on the stock JDK. */
class SocketImplFactoryTest {

    /** Is always connected and has one byte to read. */
    private static final class OwnImpl extends SocketImpl {
        @Override
        protected void create(boolean stream) {}

        @Override
        protected void connect(String host, int port) {}

        @Override
        protected void connect(InetAddress address, int port) {}

        @Override
        protected void connect(SocketAddress address, int timeout) {}

        @Override
        protected void bind(InetAddress host, int port) {}

        @Override
        protected void listen(int backlog) {}

        @Override
        protected void accept(SocketImpl s) {}

        @Override
        protected InputStream getInputStream() {
            return new ByteArrayInputStream(new byte[] {77});
        }

        @Override
        protected OutputStream getOutputStream() {
            return OutputStream.nullOutputStream();
        }

        @Override
        protected int available() {
            return 1;
        }

        @Override
        protected void close() {}

        @Override
        protected void sendUrgentData(int data) {}

        @Override
        public void setOption(int option, Object value) {}

        @Override
        public Object getOption(int option) {
            return null;
        }
    }

    @BeforeAll
    @SuppressWarnings("deprecation") // what an old application does
    static void setFactory() throws IOException {
        LoomUring.install();
        Socket.setSocketImplFactory(OwnImpl::new);
    }

    @Test
    void shouldAskTheApplicationsFactory() throws Exception {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
            assertThat(socket.getInputStream().read()).isEqualTo(77);
        }
        try (var socket = new Socket(Proxy.NO_PROXY)) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1));
            assertThat(socket.getInputStream().read()).isEqualTo(77);
        }
    }

    @Test
    @SuppressWarnings("deprecation")
    void shouldRefuseASecondFactory() {
        assertThatThrownBy(() -> Socket.setSocketImplFactory(OwnImpl::new))
                .isInstanceOf(SocketException.class)
                .hasMessage("factory already defined");
    }

    @Test
    void shouldStillAcceptInServerSocketsThatTheFactoryIsNotFor() throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var pair = Provider.OURS.socket()) {
            pair.connect(server.getLocalSocketAddress());
            try (Socket accepted = server.accept()) {
                accepted.getOutputStream().write(5);
                assertThat(pair.socket().getInputStream().read()).isEqualTo(5);
            }
        }
    }
}
