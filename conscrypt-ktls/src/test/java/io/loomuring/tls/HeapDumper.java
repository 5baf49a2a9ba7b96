package io.loomuring.tls;

import com.sun.management.HotSpotDiagnosticMXBean;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A process whose connections' keys are captured, and that dumps its heap when they are closed. */
final class HeapDumper {
    private HeapDumper() {}

    private static byte[] marker; // stays, to be found

    /** File of the dump, bytes that it will hold, clients to serve, servers' ports. */
    public static void main(String[] arguments) throws Exception {
        ContextSpi.captureKeys(true);
        marker = HexFormat.of().parseHex(arguments[1]);
        SSLContext client = TlsProvider.OURS.context("");
        for (String port : Arrays.asList(arguments).subList(3, arguments.length)) {
            try (var socket =
                    (SSLSocket)
                            client.getSocketFactory()
                                    .createSocket(
                                            InetAddress.getLoopbackAddress(),
                                            Integer.parseInt(port))) {
                talk(socket);
            }
        }
        try (var listener = TlsProvider.listen(TlsProvider.OURS.context("server"))) {
            System.out.println("port=" + listener.getLocalPort());
            for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
                try (var accepted = (SSLSocket) listener.accept()) {
                    talk(accepted);
                }
            }
        }
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpHeap(arguments[0], false); // garbage included
        System.out.println("dumped, with " + marker.length + " bytes to be found");
    }

    private static void talk(Socket socket) throws IOException {
        socket.getOutputStream().write("abc\n".getBytes(StandardCharsets.US_ASCII));
        if (socket.getInputStream().readNBytes(4).length < 4) {
            throw new IOException("no answer");
        }
        KeyCapture capture = ((KtlsSocket) socket).capture();
        System.out.println(
                "keys "
                        + capture.outcome(KeyCapture.Direction.SEND)
                        + " "
                        + capture.outcome(KeyCapture.Direction.RECEIVE)
                        + " "
                        + HexFormat.of().formatHex(capture.randoms()));
    }
}
