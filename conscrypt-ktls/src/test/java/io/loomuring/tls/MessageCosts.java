package io.loomuring.tls;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

import javax.net.ssl.SSLSocket;

/**
 * A server and its client, each a process, whose system calls are to be counted by {@code strace -f
 * -c}: what a message costs is what a run with more messages makes more of them. {@code server
 * KIND} prints its port; {@code client PORT KIND MESSAGES}; kinds are echo (64 bytes each way),
 * bulk (1 MiB that the server writes) and file (1 MiB that it sends of a file).
 */
final class MessageCosts {
    private MessageCosts() {}

    private static final int SMALL = 64; // bytes
    private static final int LARGE = 1 << 20; // bytes

    /** See above. */
    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("server")) {
            serve(arguments[1]);
        } else {
            ask(
                    Integer.parseInt(arguments[1]),
                    arguments[2].equals("echo") ? SMALL : LARGE,
                    Integer.parseInt(arguments[3]));
        }
    }

    private static void serve(String kind) throws Exception {
        Path file = Files.write(Files.createTempFile("message", ""), new byte[LARGE]);
        try (var listener = TlsProvider.listen(TlsProvider.OURS.context("server"));
                FileChannel channel = FileChannel.open(file)) {
            System.out.println("port=" + listener.getLocalPort());
            Thread.ofVirtual()
                    .start(() -> {
                        try (var socket = (SSLSocket) listener.accept()) {
                            answer(socket, kind, channel);
                            System.out.println(Ktls.sending(socket) + " " + Ktls.receiving(socket));
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .join();
        } finally {
            Files.delete(file);
        }
    }

    private static void answer(SSLSocket socket, String kind, FileChannel file) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        byte[] request = new byte[SMALL];
        byte[] large = new byte[LARGE];
        while (in.readNBytes(request, 0, SMALL) == SMALL) {
            switch (kind) {
                case "echo" -> out.write(request);
                case "bulk" -> out.write(large);
                case "file" -> Ktls.transferTo(file, 0, LARGE, socket);
                default -> throw new IllegalArgumentException(kind);
            }
        }
    }

    private static void ask(int port, int answer, int messages) throws Exception {
        try (var socket =
                TlsProvider.OURS
                        .context("")
                        .getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), port)) {
            byte[] bytes = new byte[answer];
            for (int i = 0; i < messages; i++) {
                socket.getOutputStream().write(new byte[SMALL]);
                if (socket.getInputStream().readNBytes(bytes, 0, answer) < answer) {
                    throw new IOException("no answer");
                }
            }
        }
    }
}
