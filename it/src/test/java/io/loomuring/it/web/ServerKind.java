package io.loomuring.it.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** The servers, each as it comes and with its handlers on virtual threads where it has those. */
public enum ServerKind {
    /** Its handlers run on the thread that selects. */
    JDK(1, false, false) {
        @Override
        public WebServer start(Site site, Wire wire, Duration idleLimit) throws IOException {
            return new JdkServer(site, wire, false);
        }
    },
    JDK_VIRTUAL(Integer.MAX_VALUE, true, false) {
        @Override
        public WebServer start(Site site, Wire wire, Duration idleLimit) throws IOException {
            return new JdkServer(site, wire, true);
        }
    },
    JETTY(100, false, true) {
        @Override
        public WebServer start(Site site, Wire wire, Duration idleLimit) throws Exception {
            return new JettyServer(site, wire, idleLimit, false);
        }
    },
    JETTY_VIRTUAL(Integer.MAX_VALUE, true, true) {
        @Override
        public WebServer start(Site site, Wire wire, Duration idleLimit) throws Exception {
            return new JettyServer(site, wire, idleLimit, true);
        }
    },
    NETTY(Integer.MAX_VALUE, false, true) {
        @Override
        public WebServer start(Site site, Wire wire, Duration idleLimit) throws Exception {
            return new NettyServer(site, wire, idleLimit);
        }
    };

    static final int BACKLOG = 1024;

    private final int heldMax;
    private final boolean virtual;
    private final boolean unix;

    ServerKind(int heldMax, boolean virtual, boolean unix) {
        this.heldMax = heldMax;
        this.virtual = virtual;
        this.unix = unix;
    }

    /**
     * Starts one on a free address.
     *
     * @param idleLimit after which it closes a connection that has no request; the JDK's takes it
     *     from properties instead
     */
    public abstract WebServer start(Site site, Wire wire, Duration idleLimit) throws Exception;

    /** How many answers can be held at once. */
    public int heldMax() {
        return heldMax;
    }

    /** What runs its handlers, in the words of {@link Answer#thread}. */
    public String handlerThread() {
        return virtual ? Site.VIRTUAL : Site.PLATFORM;
    }

    public Set<Wire> wires() {
        return unix ? EnumSet.allOf(Wire.class) : EnumSet.of(Wire.TCP, Wire.TLS);
    }

    /** A free address to listen on. */
    static SocketAddress freeAddress(Wire wire) {
        if (wire != Wire.UNIX) {
            return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        }
        try {
            Path path = Files.createTempFile("web", ".socket");
            Files.delete(path); // bind makes it
            return UnixDomainSocketAddress.of(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
