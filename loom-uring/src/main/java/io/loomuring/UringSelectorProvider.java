package io.loomuring;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;
import static java.net.StandardProtocolFamily.UNIX;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SunNet;
import io.loomuring.net.UringServerSocketChannel;
import io.loomuring.net.UringSocketChannel;

import java.io.IOException;
import java.net.ProtocolFamily;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Objects;

/**
 * The provider of socket channels carried by io_uring. Selectors, datagram channels and pipes are
 * the JDK's; its selectors take our channels.
 *
 * <p>Naming it with {@code -Djava.nio.channels.spi.SelectorProvider} installs loom-uring when the
 * JDK loads it. Where io_uring can't be used, all is the JDK's.
 *
 * <p>Our channel classes link against packages that the installation opens: nothing here may name
 * them in a way that makes the verifier load them, such as returning one as its supertype.
 */
public final class UringSelectorProvider extends SelectorProvider {
    private static final boolean CARRIED = LoomUring.install();

    @Override
    public SocketChannel openSocketChannel() throws IOException {
        return CARRIED ? UringSocketChannel.open(this, defaultFamily()) : jdk().openSocketChannel();
    }

    @Override
    public SocketChannel openSocketChannel(ProtocolFamily family) throws IOException {
        return CARRIED
                ? UringSocketChannel.open(this, checkFamily(family))
                : jdk().openSocketChannel(family);
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        return CARRIED
                ? UringServerSocketChannel.open(this, defaultFamily())
                : jdk().openServerSocketChannel();
    }

    @Override
    public ServerSocketChannel openServerSocketChannel(ProtocolFamily family) throws IOException {
        return CARRIED
                ? UringServerSocketChannel.open(this, checkFamily(family))
                : jdk().openServerSocketChannel(family);
    }

    private static ProtocolFamily defaultFamily() {
        return SunNet.isIPv6Available() ? INET6 : INET;
    }

    private static ProtocolFamily checkFamily(ProtocolFamily family) {
        Objects.requireNonNull(family, "'family' is null");
        if (family == INET6 && !SunNet.isIPv6Available()) {
            throw new UnsupportedOperationException("IPv6 not available");
        }
        if (family == INET || family == INET6 || (family == UNIX && SunNet.isUnixSupported())) {
            return family;
        }
        throw new UnsupportedOperationException("Protocol family not supported");
    }

    private static SelectorProvider jdk() {
        return Jdk.PROVIDER;
    }

    /** The JDK's own provider, in a package that only the native library opens. */
    private static final class Jdk {
        static final SelectorProvider PROVIDER = open();

        private static SelectorProvider open() {
            String problem;
            try {
                LoomUring.openJdk();
                problem = "";
            } catch (LinkageError | UnsupportedJdkException e) {
                problem = e.getMessage(); // but the user may have exported the package
            }
            try {
                return sun.nio.ch.DefaultSelectorProvider.get();
            } catch (IllegalAccessError e) {
                throw new IllegalStateException(
                        "loom-uring: the JDK's own channels can't be reached ("
                                + problem
                                + "): remove -Djava.nio.channels.spi.SelectorProvider, or add"
                                + " --add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                        e);
            }
        }
    }

    @Override
    public DatagramChannel openDatagramChannel() throws IOException {
        return jdk().openDatagramChannel();
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
        return jdk().openDatagramChannel(family);
    }

    @Override
    public Pipe openPipe() throws IOException {
        return jdk().openPipe();
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
        return jdk().openSelector();
    }

    @Override
    public Channel inheritedChannel() throws IOException {
        return jdk().inheritedChannel();
    }
}
