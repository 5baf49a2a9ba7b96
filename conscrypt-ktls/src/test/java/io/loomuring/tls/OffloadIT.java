package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.net.KernelTls;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import javax.net.ssl.SSLSocket;

/** What is told of who does the records, on a kernel that has TLS and on one that hasn't. */
class OffloadIT {
    @TempDir Path folder;

    private static OffloadOutcome expected() {
        return KernelTls.isAvailable() ? OffloadOutcome.OFFLOADED : OffloadOutcome.NO_KERNEL_TLS;
    }

    private static TlsPair pair(String protocol) throws IOException {
        var pair = TlsPair.of(TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"));
        pair.client.setEnabledProtocols(new String[] {protocol});
        return pair.shakeHands();
    }

    private static void exchange(TlsPair pair) throws IOException {
        for (int i = 0; i < 2; i++) {
            pair.client.getOutputStream().write(i);
            assertThat(pair.server.getInputStream().read()).isEqualTo(i);
            pair.server.getOutputStream().write(i);
            assertThat(pair.client.getInputStream().read()).isEqualTo(i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shouldTellWhoDoesTheRecordsOfEachDirection(String protocol) throws Exception {
        try (var recording = new Recording();
                var pair =
                        TlsPair.of(
                                TlsProvider.OURS.context(""), TlsProvider.OURS.context("server"))) {
            recording.enable(OffloadEvent.class);
            recording.start();
            assertThat(Ktls.sending(pair.client)).isEmpty();
            long before =
                    TlsCounters.sum(KeyCapture.Direction.SEND, expected())
                            + TlsCounters.sum(KeyCapture.Direction.RECEIVE, expected());
            pair.client.setEnabledProtocols(new String[] {protocol});
            pair.shakeHands();
            exchange(pair);
            for (SSLSocket socket : List.of(pair.client, pair.server)) {
                assertThat(Ktls.sending(socket)).contains(expected());
                assertThat(Ktls.receiving(socket)).contains(expected());
            }
            assertThat(
                            TlsCounters.sum(KeyCapture.Direction.SEND, expected())
                                    + TlsCounters.sum(KeyCapture.Direction.RECEIVE, expected())
                                    - before)
                    .isEqualTo(4);
            recording.stop();
            Path file = folder.resolve("recording.jfr");
            recording.dump(file);
            List<RecordedEvent> events =
                    RecordingFile.readAllEvents(file).stream()
                            .filter(event ->
                                    event.getEventType().getName().equals("loomuring.TlsOffload"))
                            .toList();
            assertThat(events)
                    .hasSize(4)
                    .allSatisfy(event -> {
                        assertThat(event.getString("outcome")).isEqualTo(expected().label());
                        assertThat(event.getString("reason")).isEqualTo(expected().reason());
                        assertThat(event.getString("protocol")).isEqualTo(protocol);
                    });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shouldSendAPartOfAFile(String protocol) throws Exception {
        byte[] content = new byte[100_001];
        new Random(3).nextBytes(content);
        Path file = Files.write(folder.resolve("file"), content);
        try (var pair = pair(protocol);
                FileChannel channel = FileChannel.open(file)) {
            var sender = Background.start(() -> Ktls.transferTo(channel, 1, 100_500, pair.server));
            assertThat(pair.client.getInputStream().readNBytes(content.length - 1))
                    .isEqualTo(Arrays.copyOfRange(content, 1, content.length));
            assertThat(sender.result()).isEqualTo(content.length - 1);
        }
    }

    @Test
    void shouldTakeNoSocketOfAnotherProvider() throws Exception {
        SSLSocket other =
                (SSLSocket) TlsProvider.JSSE.context("").getSocketFactory().createSocket();
        try (other;
                var channel = FileChannel.open(Files.createFile(folder.resolve("empty")))) {
            assertThat(Ktls.isOurs(other)).isFalse();
            assertThatThrownBy(() -> Ktls.sending(other))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another provider");
            assertThatThrownBy(() -> Ktls.transferTo(channel, 0, 1, other))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldRefuseNegativeNumbers() throws Exception {
        try (var pair = pair("TLSv1.3");
                var channel = FileChannel.open(Files.createFile(folder.resolve("empty")))) {
            assertThatThrownBy(() -> Ktls.transferTo(channel, -1, 1, pair.client))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(Ktls.transferTo(channel, 0, 1, pair.client)).isZero();
        }
    }
}
