package io.loomuring.it.web;

import io.netty.handler.timeout.ReadTimeoutException;

import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.http.HttpClient.Version;
import java.net.http.HttpTimeoutException;
import java.util.EnumSet;

/** The clients. */
public enum ClientKind {
    JDK_HTTP_1(HttpTimeoutException.class) {
        @Override
        public WebClient open(SocketAddress address, Wire wire) throws Exception {
            return new JdkClient(address, wire, Version.HTTP_1_1);
        }

        @Override
        public boolean speaksTo(ServerKind server, Wire wire) {
            return server.wires().contains(wire) && wire != Wire.UNIX;
        }
    },
    JDK_HTTP_2(HttpTimeoutException.class) {
        @Override
        public WebClient open(SocketAddress address, Wire wire) throws Exception {
            return new JdkClient(address, wire, Version.HTTP_2);
        }

        @Override
        public boolean speaksTo(ServerKind server, Wire wire) {
            return EnumSet.of(ServerKind.JETTY, ServerKind.JETTY_VIRTUAL).contains(server)
                    && wire != Wire.UNIX;
        }
    },
    NETTY(ReadTimeoutException.class) {
        @Override
        public WebClient open(SocketAddress address, Wire wire) {
            return new NettyClient(address, wire);
        }

        // one server of each make is enough
        @Override
        public boolean speaksTo(ServerKind server, Wire wire) {
            return server.wires().contains(wire)
                    && server != ServerKind.JDK
                    && server != ServerKind.JETTY;
        }
    },
    /** Blocking sockets. */
    RAW(SocketTimeoutException.class) {
        @Override
        public WebClient open(SocketAddress address, Wire wire) {
            return new RawClient(address, wire);
        }
    };

    private final Class<? extends Exception> timeoutException;

    ClientKind(Class<? extends Exception> timeoutException) {
        this.timeoutException = timeoutException;
    }

    public abstract WebClient open(SocketAddress address, Wire wire) throws Exception;

    public boolean speaksTo(ServerKind server, Wire wire) {
        return server.wires().contains(wire);
    }

    /** What it throws when no answer comes in time. */
    public Class<? extends Exception> timeoutException() {
        return timeoutException;
    }
}
