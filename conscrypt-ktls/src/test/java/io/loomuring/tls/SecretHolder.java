package io.loomuring.tls;

import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A process with open connections, whose memory another one searches for their secrets. */
final class SecretHolder {
    private SecretHolder() {}

    private static final int DEPTH = 200; // calls
    private static final int ON_STACK = 8192; // bytes: FileInputStream takes no more there

    private static byte[] marker; // stays, to be found

    /** Bytes to keep, clients to serve, servers' ports. */
    public static void main(String[] arguments) throws Exception {
        marker = HexFormat.of().parseHex(arguments[0]);
        SSLContext context = TlsProvider.OURS.context("");
        var open = new ArrayList<SSLSocket>();
        for (String port : Arrays.asList(arguments).subList(2, arguments.length)) {
            var socket =
                    (SSLSocket)
                            context.getSocketFactory()
                                    .createSocket(
                                            InetAddress.getLoopbackAddress(),
                                            Integer.parseInt(port));
            open.add(socket);
            talk(socket);
        }
        try (var listener = TlsProvider.listen(TlsProvider.OURS.context("server"))) {
            System.out.println("port=" + listener.getLocalPort());
            for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
                var socket = (SSLSocket) listener.accept();
                open.add(socket);
                talk(socket);
            }
        }
        printOutcomes(open);
        System.out.println(TlsCounters.toMap());
        overwriteStack();
        System.out.println("open, with " + marker.length + " bytes to be found");
        System.in.read();
        for (SSLSocket socket : open) {
            socket.close();
        }
        overwriteStack();
        System.out.println("closed");
        System.in.read();
    }

    /**
     * BoringSSL leaves keys that it used last below the stack's end, where the thread's next calls
     * are to come: such as these, whose native part reads into a buffer on the stack.
     */
    private static void overwriteStack() throws IOException {
        try (var zeros = new FileInputStream("/dev/zero")) {
            for (int i = 0; i < DEPTH; i++) {
                overwriteStack(zeros, i);
            }
        }
    }

    private static void overwriteStack(InputStream zeros, int depth) throws IOException {
        if (depth > 0) {
            overwriteStack(zeros, depth - 1);
        } else if (zeros.read(new byte[ON_STACK]) < ON_STACK) {
            throw new EOFException("of /dev/zero");
        }
    }

    private static void printOutcomes(List<SSLSocket> sockets) {
        for (SSLSocket socket : sockets) {
            System.out.println(
                    "by " + Ktls.sending(socket).get() + " " + Ktls.receiving(socket).get());
        }
    }

    private static void talk(SSLSocket socket) throws IOException {
        for (int i = 0; i < 3; i++) {
            socket.getOutputStream().write("abc\n".getBytes(StandardCharsets.US_ASCII));
            if (socket.getInputStream().readNBytes(4).length < 4) {
                throw new IOException("no answer");
            }
        }
    }
}
