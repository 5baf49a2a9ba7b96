package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

class MessageTest {
    private static byte[] bytes(int length, int stream, long number) throws IOException {
        var out = new ByteArrayOutputStream();
        var message = new Message();
        message.set(length, stream, number, 0);
        message.send(new Line.SocketLine(new Socket(), InputStream.nullInputStream(), out));
        return out.toByteArray();
    }

    private static Message received(byte[] bytes) throws IOException, Violation {
        var message = new Message();
        message.receive(
                new Line.SocketLine(
                        new Socket(),
                        new ByteArrayInputStream(bytes),
                        new ByteArrayOutputStream()));
        return message;
    }

    @Test
    void shouldArriveAsItWasSent() throws Exception {
        Message message = received(bytes(1000, 7, 42));
        assertThat(message.stream()).isEqualTo(7);
        assertThat(message.number()).isEqualTo(42);
    }

    @Test
    void shouldNoticeEachByteThatDiffers() throws Exception {
        byte[] sent = bytes(100, 7, 42);
        for (int i = 4; i < sent.length; i++) { // before is the length: nothing more would come
            byte[] changed = sent.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> received(changed))
                    .as("byte %d", i)
                    .isInstanceOf(Violation.class);
        }
    }

    @Test
    void shouldNoticeThePayloadOfAnotherNumber() throws Exception {
        byte[] sent = bytes(100, 7, 42);
        System.arraycopy(bytes(100, 7, 43), 20, sent, 20, 104); // with its checksum
        assertThatThrownBy(() -> received(sent)).isInstanceOf(Violation.class);
    }
}
