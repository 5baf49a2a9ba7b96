package io.loomuring.tls;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Stands between client and server and passes records on, changed if the test likes. */
final class Relay implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Change change;
    private volatile Socket client;
    private volatile Socket server;

    /** What becomes of a record. */
    interface Change {
        /**
         * Passes on what it likes.
         *
         * @param fromClient its direction
         * @param record header included
         */
        void pass(boolean fromClient, byte[] record, OutputStream out) throws IOException;
    }

    private Relay(ServerSocket listener, int target, Change change) {
        this.listener = listener;
        this.target = target;
        this.change = change;
    }

    static Relay start(int target, Change change) throws IOException {
        var relay =
                new Relay(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()), target, change);
        Thread.ofVirtual().start(relay::run);
        return relay;
    }

    int port() {
        return listener.getLocalPort();
    }

    private void run() {
        try {
            client = listener.accept();
            server = new Socket(InetAddress.getLoopbackAddress(), target);
            Thread.ofVirtual().start(() -> pass(true, client, server));
            pass(false, server, client);
        } catch (IOException e) {
            // the test has ended
        }
    }

    private void pass(boolean fromClient, Socket from, Socket to) {
        try {
            var in = new DataInputStream(from.getInputStream());
            OutputStream out = to.getOutputStream();
            while (true) {
                byte[] header = new byte[5];
                in.readFully(header);
                byte[] record = new byte[5 + (((header[3] & 0xff) << 8) | (header[4] & 0xff))];
                System.arraycopy(header, 0, record, 0, 5);
                in.readFully(record, 5, record.length - 5);
                change.pass(fromClient, record, out);
            }
        } catch (EOFException e) {
            try {
                to.shutdownOutput();
            } catch (IOException gone) {
                // closed by the other direction
            }
        } catch (IOException e) {
            closeQuietly(to);
        }
    }

    /** Cuts both connections off, in the middle of whatever. */
    void cut() {
        closeQuietly(client);
        closeQuietly(server);
    }

    private static void closeQuietly(Socket socket) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException e) {
            // closed is closed
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }
}
