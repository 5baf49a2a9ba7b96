package io.loomuring;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;
import static java.net.StandardProtocolFamily.UNIX;

import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SunNet;
import io.loomuring.net.InheritedChannel;
import io.loomuring.net.UringDatagramChannel;
import io.loomuring.net.UringPipe;
import io.loomuring.net.UringSelector;
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
 * The provider of socket and datagram channels, pipes and selectors carried by io_uring. Selectors
 * and channels take each other, whosever they are.
 *
 * <p>Naming it with {@code -Djava.nio.channels.spi.SelectorProvider} installs loom-uring when the
 * JDK loads it. Where io_uring can't be used, all is the JDK's.
 *
 * <p>Our channel classes link against packages that the installation opens: nothing here may name
 * them in a way that makes the verifier load them, such as returning one as its supertype.
 */
public final class UringSelectorProvider extends SelectorProvider {
    /** Loads when the first provider is made, never while loom-uring is being installed. */
    private static final class Channels {
        static final boolean CARRIED = LoomUring.provideChannels();
    }

    /** Installs loom-uring, unless that was done before. */
    public UringSelectorProvider() {
        this(Channels.CARRIED);
    }

    private UringSelectorProvider(boolean ignored) {}

    /**
     * Makes it the JDK's provider, unless the application has one of its own that is loaded
     * already; by the installer.
     */
    static void use() throws UnsupportedJdkException {
        if (isFoundByTheJdk() && !JdkInternals.isSelectorProviderLoaded()) {
            System.setProperty(LoomUring.PROVIDER_PROPERTY, UringSelectorProvider.class.getName());
            return;
        }
        SelectorProvider present = SelectorProvider.provider();
        if (present.equals(sun.nio.ch.DefaultSelectorProvider.get())) {
            JdkInternals.setSelectorProvider(new UringSelectorProvider(true));
        } else if (!isOurs(present)) {
            System.err.println(
                    "loom-uring: channels are still those of " + present.getClass().getName());
        }
    }

    /** Of any copy: they all lead to the one that carries this JVM. */
    private static boolean isOurs(SelectorProvider provider) {
        return provider.getClass().getName().equals(UringSelectorProvider.class.getName());
    }

    private static boolean isFoundByTheJdk() {
        try {
            String name = UringSelectorProvider.class.getName();
            return Class.forName(name, false, ClassLoader.getSystemClassLoader())
                    == UringSelectorProvider.class;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    @Override
    public SocketChannel openSocketChannel() throws IOException {
        return Channels.CARRIED
                ? UringSocketChannel.open(this, defaultFamily())
                : behind().openSocketChannel();
    }

    @Override
    public SocketChannel openSocketChannel(ProtocolFamily family) throws IOException {
        return Channels.CARRIED
                ? UringSocketChannel.open(this, checkFamily(family))
                : behind().openSocketChannel(family);
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        return Channels.CARRIED
                ? UringServerSocketChannel.open(this, defaultFamily())
                : behind().openServerSocketChannel();
    }

    @Override
    public ServerSocketChannel openServerSocketChannel(ProtocolFamily family) throws IOException {
        return Channels.CARRIED
                ? UringServerSocketChannel.open(this, checkFamily(family))
                : behind().openServerSocketChannel(family);
    }

    private static ProtocolFamily defaultFamily() {
        return SunNet.isIPv6Available() ? INET6 : INET;
    }

    private static ProtocolFamily checkFamily(ProtocolFamily family) {
        return family == UNIX && SunNet.isUnixSupported() ? family : checkInetFamily(family);
    }

    private static ProtocolFamily checkInetFamily(ProtocolFamily family) {
        Objects.requireNonNull(family, "'family' is null");
        if (family == INET6 && !SunNet.isIPv6Available()) {
            throw new UnsupportedOperationException("IPv6 not available");
        }
        if (family == INET || family == INET6) {
            return family;
        }
        throw new UnsupportedOperationException("Protocol family not supported");
    }

    private static SelectorProvider behind() {
        return Behind.PROVIDER;
    }

    /** The JDK's own provider, or that of the copy of this library that carries the JVM. */
    private static final class Behind {
        static final SelectorProvider PROVIDER = open();

        private static SelectorProvider open() {
            SelectorProvider other = LoomUring.otherProvider();
            if (other != null) {
                return other;
            }
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
        return Channels.CARRIED
                ? UringDatagramChannel.open(this, defaultFamily())
                : behind().openDatagramChannel();
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
        return Channels.CARRIED
                ? UringDatagramChannel.open(this, checkInetFamily(family))
                : behind().openDatagramChannel(family);
    }

    @Override
    public Pipe openPipe() throws IOException {
        return Channels.CARRIED ? UringPipe.open(this) : behind().openPipe();
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
        return Channels.CARRIED ? UringSelector.open(this) : behind().openSelector();
    }

    @Override
    public Channel inheritedChannel() throws IOException {
        return Channels.CARRIED ? InheritedChannel.get(this) : behind().inheritedChannel();
    }
}
