package io.loomuring.net;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;
import static java.net.StandardProtocolFamily.UNIX;

import io.loomuring.jdk.SunNet;

import sun.nio.ch.SelChImpl;

import java.io.FileDescriptor;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;

/**
 * The channel of a process that was started with a socket as its standard input, as {@code inetd}
 * does. The JDK finds out what it is and makes a channel of its own, whose descriptor a stream
 * socket of ours takes over; closing that one ends the standard streams, too.
 */
public final class InheritedChannel {
    private InheritedChannel() {}

    private static boolean known; // guarded by the class
    private static Channel channel; // guarded by the class; null if there is none

    /** The same one each time; null if the standard input is no socket. */
    public static synchronized Channel get(SelectorProvider provider) throws IOException {
        if (!known) {
            channel = takeOver(SunNet.inheritedChannel(), provider);
            known = true;
        }
        return channel;
    }

    private static Channel takeOver(Channel theirs, SelectorProvider provider) throws IOException {
        if (theirs instanceof SocketChannel connected) {
            FileDescriptor fd = descriptor(theirs);
            SocketAddress remote = connected.getRemoteAddress();
            return new Connected(
                    provider, family(remote), new ListeningSocket.Accepted(fd, remote));
        }
        if (theirs instanceof ServerSocketChannel listening) {
            SocketAddress local = listening.getLocalAddress();
            return new Listening(provider, family(local), descriptor(theirs));
        }
        return theirs;
    }

    /** In blocking mode, as a channel of ours expects it; the parent may have left it otherwise. */
    private static FileDescriptor descriptor(Channel theirs) throws IOException {
        FileDescriptor fd = ((SelChImpl) theirs).getFD();
        SunNet.configureBlocking(fd, true);
        return SunNet.closedOnExec(fd);
    }

    private static ProtocolFamily family(SocketAddress address) {
        if (address instanceof UnixDomainSocketAddress) {
            return UNIX;
        }
        return ((InetSocketAddress) address).getAddress() instanceof Inet6Address ? INET6 : INET;
    }

    private static final class Connected extends UringSocketChannel {
        Connected(
                SelectorProvider provider,
                ProtocolFamily family,
                ListeningSocket.Accepted accepted) {
            super(provider, family, accepted);
        }

        @Override
        protected void implCloseSelectableChannel() {
            super.implCloseSelectableChannel();
            SunNet.detachStandardStreams();
        }
    }

    private static final class Listening extends UringServerSocketChannel {
        Listening(SelectorProvider provider, ProtocolFamily family, FileDescriptor fd)
                throws IOException {
            super(provider, family, fd);
        }

        @Override
        protected void implCloseSelectableChannel() {
            super.implCloseSelectableChannel();
            SunNet.detachStandardStreams();
        }
    }
}
