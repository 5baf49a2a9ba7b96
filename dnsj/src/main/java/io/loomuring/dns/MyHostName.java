package io.loomuring.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;

/** The service myhostname of nsswitch.conf(5): what this machine knows of itself. */
final class MyHostName {
    private MyHostName() {}

    private static final InetAddress LOOPBACK_4 = InetAddress.ofLiteral("127.0.0.1");
    private static final InetAddress LOOPBACK_6 = InetAddress.ofLiteral("::1");

    /** What localhost stands for. */
    static final List<InetAddress> LOOPBACK = List.of(LOOPBACK_4, LOOPBACK_6);

    private static final List<InetAddress> WITHOUT_NETWORK =
            List.of(InetAddress.ofLiteral("127.0.0.2"), LOOPBACK_6);

    /** As gethostname(2); the JDK's way would look the name up. */
    static String read() throws IOException {
        String name = ConfigFile.read(Path.of("/proc/sys/kernel/hostname"));
        return name == null ? "" : name.strip();
    }

    static List<InetAddress> addressesOf(String name, String hostName) {
        if (HostName.isLocalhost(name)) {
            return LOOPBACK;
        }
        return name.equalsIgnoreCase(hostName) ? own() : List.of();
    }

    static String nameOf(InetAddress address, String hostName) {
        if (LOOPBACK.contains(address)) {
            return "localhost";
        }
        return own().contains(address) ? hostName : null;
    }

    private static List<InetAddress> own() {
        try {
            List<InetAddress> addresses =
                    NetworkInterface.networkInterfaces()
                            .flatMap(NetworkInterface::inetAddresses)
                            .filter(a -> !a.isLoopbackAddress())
                            .toList();
            return addresses.isEmpty() ? WITHOUT_NETWORK : addresses;
        } catch (SocketException e) {
            return WITHOUT_NETWORK;
        }
    }
}
