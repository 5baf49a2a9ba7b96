package io.loomuring.tls;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Optional;

import javax.net.ssl.SSLSocket;

/** What an application can ask of sockets of this provider beyond {@code SSLSocket}. */
public final class Ktls {
    private Ktls() {}

    /** Whether the socket is of this provider: the other methods take no others. */
    public static boolean isOurs(SSLSocket socket) {
        return socket instanceof KtlsSocket;
    }

    /**
     * Who seals what is sent; empty until that is settled, in TLS 1.3 by the first record that is
     * sent after the handshake.
     *
     * @throws IllegalArgumentException if the socket is of another provider
     */
    public static Optional<OffloadOutcome> sending(SSLSocket socket) {
        return outcome(socket, KeyCapture.Direction.SEND);
    }

    /**
     * Who opens what is received; empty until that is settled, in TLS 1.3 by the first data.
     *
     * @throws IllegalArgumentException if the socket is of another provider
     */
    public static Optional<OffloadOutcome> receiving(SSLSocket socket) {
        return outcome(socket, KeyCapture.Direction.RECEIVE);
    }

    private static Optional<OffloadOutcome> outcome(
            SSLSocket socket, KeyCapture.Direction direction) {
        return Optional.ofNullable(ours(socket).offloadOutcome(direction));
    }

    /**
     * Why the traffic keys of connections can't be had in this process, so that all stay with
     * Conscrypt, or those of TLS 1.3 alone; empty: a trial handshake's were found and proved, as
     * each connection's are to be. The first call takes some tens of ms.
     */
    public static Optional<String> keyCaptureObstacle() {
        if (ConscryptInternals.missing() != null) {
            return Optional.of(ConscryptInternals.missing());
        }
        KeyOutcome ofMemory =
                !OwnMemory.isReadable()
                        ? KeyOutcome.NO_MEMORY
                        : SecretLayout.present() == null ? KeyOutcome.NO_LAYOUT : null;
        return Optional.ofNullable(ofMemory)
                .map(outcome -> "in TLS 1.2 alone: " + outcome.reason());
    }

    /**
     * Sends a part of a file, as {@link FileChannel#transferTo} does to a plain socket: by {@code
     * sendfile(2)}, with no copy in this process, where the kernel seals, else through a buffer.
     * Shakes hands first.
     *
     * @param position of the first byte
     * @param count how many bytes
     * @return bytes sent: {@code count}, or fewer if the file ends before
     * @throws IllegalArgumentException if the socket is of another provider, or a number negative
     */
    public static long transferTo(FileChannel file, long position, long count, SSLSocket socket)
            throws IOException {
        KtlsSocket target = ours(socket);
        if (position < 0 || count < 0) {
            throw new IllegalArgumentException("position " + position + ", count " + count);
        }
        long sent = 0;
        while (sent < count) {
            long n = target.transferFrom(file, position + sent, count - sent);
            if (n == 0) {
                break;
            }
            sent += n;
        }
        return sent;
    }

    private static KtlsSocket ours(SSLSocket socket) {
        if (socket instanceof KtlsSocket ours) {
            return ours;
        }
        throw new IllegalArgumentException("a socket of another provider: " + socket);
    }
}
