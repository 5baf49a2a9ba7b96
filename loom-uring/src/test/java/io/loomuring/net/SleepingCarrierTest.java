package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import static java.net.StandardProtocolFamily.INET;

import io.loomuring.LoomUring;
import io.loomuring.testing.Await;
import io.loomuring.testing.UninterruptibleSleep;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Callable;

/**
 * Calls whose operations are in flight on the ring of a carrier that sleeps uninterruptibly, where
 * the kernel tells nothing until it wakes. They end all the same, elsewhere.
 */
@Timeout(120) // seconds a test; interrupts it
class SleepingCarrierTest {
    private static final int SO_TIMEOUT_MILLIS = 2_000;

    @BeforeAll
    static void install() {
        System.setProperty("loomuring.carriers", "1");
    }

    private static <T> Attempt<T> blocked(Callable<T> call) {
        return Attempt.start(ThreadKind.VIRTUAL, call).awaitBlocked();
    }

    private static void connectTo(ServerSocketChannel listener) throws Exception {
        Provider.JDK.socket().connect(listener.getLocalAddress());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotKeepCallsFromEnding(boolean eventsComeAtOnce) throws Exception {
        try (var fifo = new UninterruptibleSleep();
                var listener = Provider.OURS.listener();
                var otherListener = Provider.OURS.listener();
                var pair = Provider.OURS.pair();
                var closing = Provider.OURS.pair();
                var sockets = Provider.OURS.plainPair();
                DatagramChannel datagram = Provider.OURS.datagram(INET);
                DatagramChannel sender = Provider.JDK.datagram(INET);
                var selected = Provider.OURS.pair();
                Selector selector = Provider.OURS.get().openSelector()) {
            selected.server().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            sockets.client().setSoTimeout(SO_TIMEOUT_MILLIS);

            long areas = UdpSocket.areas();
            var accept = blocked(listener::accept);
            var platformAccept =
                    Attempt.start(ThreadKind.PLATFORM, otherListener::accept).awaitBlocked();
            var read = blocked(() -> pair.server().read(ByteBuffer.allocate(8)));
            var closed = blocked(() -> closing.server().read(ByteBuffer.allocate(8)));
            var receive = blocked(() -> datagram.receive(ByteBuffer.allocate(8)));
            var select = blocked(selector::select);

            long moved = LoomUring.counters().moved;
            var sleeper =
                    Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                fifo.sleep();
                                return null;
                            });
            try {
                var timed = blocked(() -> read(sockets.client()));
                Await.until("it sleeps", () -> UninterruptibleSleep.sleepers() == 1);
                if (!eventsComeAtOnce) {
                    Await.until("they move", () -> LoomUring.counters().moved - moved >= 6);
                }
                connectTo(listener);
                connectTo(otherListener);
                pair.client().write(ByteBuffer.allocate(3));
                closing.server().close();
                sender.send(ByteBuffer.allocate(5), datagram.getLocalAddress());
                selected.client().write(ByteBuffer.allocate(1));

                close(accept.get());
                close(platformAccept.get());
                for (int i = 0; i < 3; i++) { // what was left there may take a wake-up each
                    var next = blocked(listener::accept);
                    connectTo(listener);
                    close(next.get());
                }
                assertThat(read.get()).isEqualTo(3);
                assertThat(closed.failure()).isInstanceOf(AsynchronousCloseException.class);
                assertThat(receive.get()).isEqualTo(sender.getLocalAddress());
                assertThat(select.get()).isOne();
                assertThat(timed.failure()).isInstanceOf(SocketTimeoutException.class);
                assertThat(sleeper.isDone()).isFalse();
                assertThat(LoomUring.counters().moved - moved).isGreaterThanOrEqualTo(6);
                datagram.socket().close();
                assertThat(UdpSocket.areas()).as("the kernel may write there").isEqualTo(areas);
            } finally {
                fifo.end();
                sleeper.get();
            }
            Attempt.eventually("freed", () -> UdpSocket.areas() < areas);
            // what the requests that were left there have to say is nobody's any more
            pair.client().write(ByteBuffer.allocate(1));
            assertThat(blocked(listener::accept).isDone()).isFalse();
            assertThat(LoomUring.counters().staleCompletions).isZero();
        }
    }

    private static int read(Socket socket) throws Exception {
        return socket.getInputStream().read(new byte[8]);
    }

    private static void close(SocketChannel accepted) throws Exception {
        assertThat(accepted.getRemoteAddress()).isInstanceOf(InetSocketAddress.class);
        accepted.close();
    }
}
