package io.loomuring.dns;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/** Addresses as text. */
final class Literal {
    private Literal() {}

    /**
     * An address, or null if it is none. A scope may be the name of any network device, as for
     * glibc; the JDK wants one that has an address of the same scope.
     */
    static InetAddress parse(String text) {
        int percent = text.indexOf('%');
        try {
            return InetAddress.ofLiteral(percent < 0 ? text : withNumber(text, percent));
        } catch (IllegalArgumentException | SocketException e) {
            return null;
        }
    }

    private static String withNumber(String text, int percent) throws SocketException {
        NetworkInterface device = NetworkInterface.getByName(text.substring(percent + 1));
        return device == null ? text : text.substring(0, percent + 1) + device.getIndex();
    }
}
