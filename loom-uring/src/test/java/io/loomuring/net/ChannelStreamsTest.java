package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.Writer;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SocketChannel;

/** Streams and readers over channels: {@code Channels.new...}, and those of the adaptors. */
@Timeout(60) // seconds a test; interrupts it
class ChannelStreamsTest {
    private static final String THREADS = "io.loomuring.net.Cases#providersAndThreads";

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadAndWriteAtTheSameTime(Provider provider, ThreadKind thread) throws Exception {
        try (var pair = provider.pair()) {
            InputStream in = Channels.newInputStream(pair.client());
            var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                Channels.newOutputStream(pair.client()).write(new byte[] {7, 8});
                                return null;
                            });
            write.get(); // although a thread waits in read
            InputStream other = Channels.newInputStream(pair.server());
            assertThat(other.readNBytes(2)).containsExactly(7, 8);
            assertThat(other.available()).isZero();
            pair.server().write(ByteBuffer.wrap(new byte[] {5, 6}));
            assertThat(read.get()).isEqualTo(5);
            assertThat(in.available()).isEqualTo(1);
            assertThat(in.read(new byte[9], 3, 0)).isZero();
            pair.server().shutdownOutput();
            assertThat(in.readAllBytes()).containsExactly(6);
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @SuppressWarnings("try") // closes early: that is the test
    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTransferByPipes(Provider provider, ThreadKind thread) throws Exception {
        try (var pipe = provider.pipe();
                OutputStream out = Channels.newOutputStream(pipe.sink());
                InputStream in = Channels.newInputStream(pipe.source())) {
            byte[] bytes = new byte[1 << 20];
            bytes[bytes.length - 1] = 4;
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                out.write(bytes);
                                out.close();
                                return null;
                            });
            assertThat(in.readAllBytes()).isEqualTo(bytes);
            write.get();
            pipe.source().configureBlocking(false);
            assertThatThrownBy(in::read).isInstanceOf(IllegalBlockingModeException.class);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldReadAndWriteText(Provider provider, ThreadKind thread) throws Exception {
        String text = "zwölf Boxkämpfer ".repeat(10_000);
        try (var pair = provider.pair()) {
            var write =
                    Attempt.start(
                            thread,
                            () -> {
                                try (Writer writer = Channels.newWriter(pair.client(), UTF_8)) {
                                    writer.write(text);
                                }
                                return null;
                            });
            var read =
                    Attempt.start(
                            thread,
                            () -> {
                                try (Reader reader = Channels.newReader(pair.server(), UTF_8)) {
                                    var all = new StringBuilder();
                                    char[] chars = new char[1000];
                                    int n;
                                    while ((n = reader.read(chars)) >= 0) {
                                        all.append(chars, 0, n);
                                    }
                                    return all.toString();
                                }
                            });
            write.get();
            assertThat(read.get()).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseNonBlockingMode(Provider provider) throws Exception {
        try (var pair = provider.pair();
                SocketChannel unconnected = provider.socket()) {
            InputStream in = Channels.newInputStream(pair.client());
            OutputStream out = Channels.newOutputStream(pair.client());
            InputStream adaptorsIn = pair.client().socket().getInputStream();
            OutputStream adaptorsOut = pair.client().socket().getOutputStream();
            assertThatThrownBy(() -> Channels.newInputStream(unconnected).read())
                    .isInstanceOf(NotYetConnectedException.class);
            pair.client().configureBlocking(false);
            for (InputStream stream : new InputStream[] {in, adaptorsIn}) {
                assertThatThrownBy(stream::read).isInstanceOf(IllegalBlockingModeException.class);
            }
            for (OutputStream stream : new OutputStream[] {out, adaptorsOut}) {
                assertThatThrownBy(() -> stream.write(1))
                        .isInstanceOf(IllegalBlockingModeException.class);
            }
            in.close();
            assertThat(pair.client().isOpen()).isFalse();
            assertThatThrownBy(() -> out.write(1)).isInstanceOf(ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldTimeOutTheAdaptorsStreamAlone(Provider provider, ThreadKind thread)
            throws Exception {
        try (var pair = provider.pair()) {
            pair.client().socket().setSoTimeout(20);
            InputStream adaptors = pair.client().socket().getInputStream();
            var timed = Attempt.start(thread, () -> adaptors.read());
            assertThat(timed.failure()).isExactlyInstanceOf(SocketTimeoutException.class);
            InputStream in = Channels.newInputStream(pair.client());
            var untimed = Attempt.start(thread, () -> in.read()).awaitBlocked();
            pair.server().write(ByteBuffer.allocate(1));
            assertThat(untimed.get()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource(THREADS)
    void shouldFailAWaitingReadWhenClosedOrInterrupted(Provider provider, ThreadKind thread)
            throws Exception {
        for (boolean interrupt : new boolean[] {true, false}) {
            try (var pair = provider.pair()) {
                InputStream in = Channels.newInputStream(pair.client());
                var read = Attempt.start(thread, () -> in.read()).awaitBlocked();
                if (interrupt) {
                    read.thread().interrupt();
                    assertThat(read.failure())
                            .isExactlyInstanceOf(ClosedByInterruptException.class);
                } else {
                    in.close();
                    assertThat(read.failure())
                            .isExactlyInstanceOf(AsynchronousCloseException.class);
                }
                assertThat(pair.client().isOpen()).isFalse();
                assertThatThrownBy(in::read).isInstanceOf(IOException.class);
            }
        }
    }
}
