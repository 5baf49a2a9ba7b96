package io.loomuring.it.soak;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where a peer's services are: {@code name=port} each, on 127.0.0.1. */
final class Addresses {
    private final Map<String, Integer> ports = new LinkedHashMap<>();

    static Addresses parse(String line) {
        var addresses = new Addresses();
        for (String pair : line.split(" ", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                addresses.put(
                        pair.substring(0, equals), Integer.parseInt(pair.substring(equals + 1)));
            }
        }
        return addresses;
    }

    void put(String name, int port) {
        ports.put(name, port);
    }

    /** Null where there is no such service. */
    InetSocketAddress get(String name) {
        Integer port = ports.get(name);
        return port == null
                ? null
                : new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        ports.forEach((name, port) -> text.append(' ').append(name).append('=').append(port));
        return text.toString().strip();
    }
}
