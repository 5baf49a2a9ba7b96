package io.loomuring.net;

import io.loomuring.jdk.SunDatagrams;
import io.loomuring.jdk.SunNet;

import java.net.ProtocolFamily;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.util.Collections;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/** Which options a kind of socket has: those of the JDK's channels. */
final class SocketOptions {
    private SocketOptions() {}

    private static final Set<SocketOption<?>> INET_STREAM =
            set(
                    SunNet.extendedStreamOptions(),
                    StandardSocketOptions.SO_SNDBUF,
                    StandardSocketOptions.SO_RCVBUF,
                    StandardSocketOptions.SO_KEEPALIVE,
                    StandardSocketOptions.SO_REUSEADDR,
                    StandardSocketOptions.SO_REUSEPORT,
                    StandardSocketOptions.SO_LINGER,
                    StandardSocketOptions.TCP_NODELAY,
                    StandardSocketOptions.IP_TOS,
                    SunNet.SO_OOBINLINE);

    /** Those of a {@code Socket}. */
    static final Set<SocketOption<?>> SOCKET = without(INET_STREAM, SunNet.SO_OOBINLINE);

    private static final Set<SocketOption<?>> UNIX_STREAM =
            set(
                    SunNet.extendedUnixOptions(),
                    StandardSocketOptions.SO_SNDBUF,
                    StandardSocketOptions.SO_RCVBUF,
                    StandardSocketOptions.SO_LINGER);

    private static final Set<SocketOption<?>> INET_LISTEN =
            set(
                    SunNet.extendedListenOptions(),
                    StandardSocketOptions.SO_RCVBUF,
                    StandardSocketOptions.SO_REUSEADDR,
                    StandardSocketOptions.SO_REUSEPORT);

    /** Those of a {@code ServerSocket}; the last is of no use there, as in the JDK. */
    static final Set<SocketOption<?>> SERVER_SOCKET =
            set(INET_LISTEN, StandardSocketOptions.IP_TOS);

    private static final Set<SocketOption<?>> UNIX_LISTEN =
            set(Set.of(), StandardSocketOptions.SO_RCVBUF);

    /** Those of a datagram socket. */
    static final Set<SocketOption<?>> DATAGRAM =
            set(
                    SunDatagrams.extendedOptions(),
                    StandardSocketOptions.SO_SNDBUF,
                    StandardSocketOptions.SO_RCVBUF,
                    StandardSocketOptions.SO_REUSEADDR,
                    StandardSocketOptions.SO_REUSEPORT,
                    StandardSocketOptions.SO_BROADCAST,
                    StandardSocketOptions.IP_TOS,
                    StandardSocketOptions.IP_MULTICAST_IF,
                    StandardSocketOptions.IP_MULTICAST_TTL,
                    StandardSocketOptions.IP_MULTICAST_LOOP);

    private static Set<SocketOption<?>> set(
            Set<SocketOption<?>> extended, SocketOption<?>... standard) {
        var options = new HashSet<SocketOption<?>>(extended);
        Collections.addAll(options, standard);
        if (!SunNet.isReusePortAvailable()) {
            options.remove(StandardSocketOptions.SO_REUSEPORT);
        }
        return Collections.unmodifiableSet(options);
    }

    private static Set<SocketOption<?>> without(Set<SocketOption<?>> all, SocketOption<?> option) {
        var options = new HashSet<SocketOption<?>>(all);
        options.remove(option);
        return Collections.unmodifiableSet(options);
    }

    static Set<SocketOption<?>> ofStream(ProtocolFamily family) {
        return family == StandardProtocolFamily.UNIX ? UNIX_STREAM : INET_STREAM;
    }

    static Set<SocketOption<?>> ofListener(ProtocolFamily family) {
        return family == StandardProtocolFamily.UNIX ? UNIX_LISTEN : INET_LISTEN;
    }

    /** Whether its level depends on the socket's family: one of the two IP protocols. */
    static boolean isOfIp(SocketOption<?> name) {
        return name.name().startsWith("IP_");
    }

    static void check(Set<SocketOption<?>> supported, SocketOption<?> name) {
        Objects.requireNonNull(name);
        if (!supported.contains(name)) {
            throw new UnsupportedOperationException("'" + name + "' not supported");
        }
    }

    static void check(Set<SocketOption<?>> supported, SocketOption<?> name, Object value) {
        check(supported, name);
        if (!name.type().isInstance(value)) {
            throw new IllegalArgumentException("Invalid value '" + value + "'");
        }
    }
}
