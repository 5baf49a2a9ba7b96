package io.loomuring.net;

import static io.loomuring.abi.Errno.*;

import io.loomuring.abi.Errno;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;

/** The one place where a {@code -errno} becomes an exception, with the JDK's types and words. */
final class IoExceptions {
    private IoExceptions() {}

    /** A failed read, write or accept. */
    static IOException io(int result) {
        assert result < 0 && result != -ECANCELED : result;
        return new IOException(Errno.message(result));
    }

    /** A failed connect. */
    static IOException connect(int result) {
        assert result < 0 && result != -ECANCELED : result;
        String message = Errno.message(result);
        return switch (-result) {
            case EPROTO -> new ProtocolException(message);
            case ECONNREFUSED, ETIMEDOUT, ENOTCONN -> new ConnectException(message);
            case EHOSTUNREACH -> new NoRouteToHostException(message);
            case EADDRINUSE, EADDRNOTAVAIL, EACCES -> new BindException(message);
            default -> new SocketException(message);
        };
    }

    /**
     * A datagram that could not be sent or received.
     *
     * @param addressed whether by a call that deals in addresses, whose exceptions are of other
     *     types than those of reads and writes
     */
    static IOException datagram(int result, boolean addressed) {
        if (result == -ECONNREFUSED) {
            return new PortUnreachableException();
        }
        return addressed ? connect(result) : io(result);
    }

    static SocketTimeoutException receiveTimedOut() {
        return new SocketTimeoutException("Receive timed out");
    }

    /** Whether a failed read means that the peer reset the connection. */
    static boolean isReset(int result) {
        return result == -ECONNRESET || result == -EPIPE;
    }

    static SocketException connectionReset() {
        return new SocketException("Connection reset");
    }

    static SocketTimeoutException readTimedOut() {
        return new SocketTimeoutException("Read timed out");
    }

    static SocketTimeoutException connectTimedOut() {
        return new SocketTimeoutException("Connect timed out");
    }

    static SocketTimeoutException acceptTimedOut() {
        return new SocketTimeoutException("Accept timed out");
    }
}
