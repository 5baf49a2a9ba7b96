package io.loomuring.net;

import static io.loomuring.abi.Errno.EINVAL;

import io.loomuring.jdk.ChannelHook;
import io.loomuring.jdk.SunNet;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ProtocolFamily;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;

/** A {@link SocketChannel} over a {@link StreamSocket}, which selectors accept. */
public class UringSocketChannel extends SocketChannel implements SelectableHost {

    private final StreamSocket stream;
    private Socket socket; // guarded by this; created on demand

    private UringSocketChannel(SelectorProvider provider, ProtocolFamily family)
            throws IOException {
        super(provider);
        stream = new StreamSocket(this, family);
    }

    /** A connection that was accepted, or inherited. */
    UringSocketChannel(
            SelectorProvider provider, ProtocolFamily family, ListeningSocket.Accepted accepted) {
        super(provider);
        stream = new StreamSocket(this, family, accepted);
    }

    /** A channel that is neither bound nor connected. {@code family} is one that can be used. */
    public static SocketChannel open(SelectorProvider provider, ProtocolFamily family)
            throws IOException {
        return new UringSocketChannel(provider, family);
    }

    StreamSocket stream() {
        return stream;
    }

    // ---- read and write ----

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (!SunNet.readEventEnabled()) {
            return stream.read(dst);
        }
        long start = SunNet.readEventStart();
        int n = stream.read(dst);
        SunNet.readEvent(start, n, stream.remoteAddress(), 0);
        return n;
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        if (!SunNet.readEventEnabled()) {
            return stream.read(dsts, offset, length);
        }
        long start = SunNet.readEventStart();
        long n = stream.read(dsts, offset, length);
        SunNet.readEvent(start, n, stream.remoteAddress(), 0);
        return n;
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        if (!SunNet.writeEventEnabled()) {
            return stream.write(src);
        }
        long start = SunNet.writeEventStart();
        int n = stream.write(src);
        SunNet.writeEvent(start, n, stream.remoteAddress());
        return n;
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        if (!SunNet.writeEventEnabled()) {
            return stream.write(srcs, offset, length);
        }
        long start = SunNet.writeEventStart();
        long n = stream.write(srcs, offset, length);
        SunNet.writeEvent(start, n, stream.remoteAddress());
        return n;
    }

    // ---- bind and connect ----

    @Override
    public SocketChannel bind(SocketAddress local) throws IOException {
        stream.bind(local);
        return this;
    }

    @Override
    public boolean connect(SocketAddress remote) throws IOException {
        return stream.connect(remote);
    }

    @Override
    public boolean finishConnect() throws IOException {
        return stream.finishConnect();
    }

    @Override
    public boolean isConnected() {
        return stream.isConnected();
    }

    @Override
    public boolean isConnectionPending() {
        return stream.isConnectionPending();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
        return stream.getLocalAddress();
    }

    @Override
    public SocketAddress getRemoteAddress() throws IOException {
        return stream.getRemoteAddress();
    }

    @Override
    public Socket socket() {
        if (stream.family() == StandardProtocolFamily.UNIX) {
            throw new UnsupportedOperationException("Not supported");
        }
        synchronized (this) {
            if (socket == null) {
                socket = ChannelSocket.create(this);
            }
            return socket;
        }
    }

    // ---- options and modes ----

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        stream.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return stream.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return stream.supportedOptions();
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        stream.configureBlocking(block);
    }

    // ---- close ----

    @Override
    public SocketChannel shutdownInput() throws IOException {
        stream.shutdownInput();
        return this;
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        stream.shutdownOutput();
        return this;
    }

    @Override
    protected void implCloseSelectableChannel() {
        stream.close();
    }

    @Override
    public boolean shutsDownBeforeClose() {
        return isBlocking() && SunNet.shutsDownBeforeClose();
    }

    // ---- selectors ----

    @Override
    public Endpoint endpoint() {
        return stream;
    }

    @Override
    public int possibleOps() {
        if (stream.isConnected()) {
            return SelectionKey.OP_READ | SelectionKey.OP_WRITE;
        }
        return stream.isConnectionPending() ? SelectionKey.OP_CONNECT : 0;
    }

    @Override
    public String toString() {
        return SocketChannel.class.getName() + "[" + (isOpen() ? stream : "closed") + "]";
    }

    /** What the JDK's file channels and streams get from channels of ours. */
    public static final class Hook implements ChannelHook.Ours {
        @Override
        public long transfer(FileChannel file, long position, int count, WritableByteChannel target)
                throws IOException {
            if (target instanceof UringSocketChannel channel) {
                long n = channel.stream.sendFile(file, position, count);
                return n == -EINVAL ? ChannelHook.UNSUPPORTED : n;
            }
            return ChannelHook.UNSUPPORTED;
        }

        @Override
        public InputStream input(ReadableByteChannel channel) {
            return channel instanceof UringSocketChannel ours
                    ? new SocketStreams.Input(ours.stream, ours, () -> 0)
                    : null;
        }

        @Override
        public OutputStream output(WritableByteChannel channel) {
            return channel instanceof UringSocketChannel ours
                    ? new SocketStreams.Output(ours.stream, ours)
                    : null;
        }

        @Override
        public WritableByteChannel behind(OutputStream stream) {
            return stream instanceof SocketStreams.Output output ? output.channel() : null;
        }
    }
}
