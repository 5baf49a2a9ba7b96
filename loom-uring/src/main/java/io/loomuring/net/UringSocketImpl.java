package io.loomuring.net;

import static java.net.StandardProtocolFamily.INET;
import static java.net.StandardProtocolFamily.INET6;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.loomuring.jdk.SunNet;

import sun.net.PlatformSocketImpl;
import sun.nio.ch.NioSocketImpl;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.ref.Cleaner.Cleanable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.Objects;
import java.util.Set;

/**
 * What is behind {@code Socket} and {@code ServerSocket}: a {@link StreamSocket} or a {@link
 * ListeningSocket}, with the manners of the JDK's own implementation. {@code java.net} creates them
 * by way of {@code jdk.SocketImplHook}.
 *
 * <pre>
 *              create, or accepted            close
 *     NEW ----------------------------> OPEN -------> CLOSED
 *      +-------------------------------------------------^
 *                            close
 * </pre>
 *
 * In OPEN the socket behind has states of its own. The fields that {@code SocketImpl} has are kept
 * as the JDK's does: they are read without asking.
 */
public final class UringSocketImpl extends SocketImpl implements PlatformSocketImpl, Endpoint.Host {
    private static final ProtocolFamily FAMILY = SunNet.isIPv6Available() ? INET6 : INET;

    private final boolean server;

    private final Object lock = new Object(); // nobody waits with it
    private volatile StreamSocket stream; // lock to change; null in NEW, and of a server
    private volatile ListeningSocket listener; // lock to change; null in NEW, and of a client
    private boolean closed; // guarded by lock

    private Cleanable descriptor; // written before stream or listener publishes it

    private volatile int timeoutMillis; // of read and accept
    private volatile boolean endRead; // the end was read once: it stays, even after close

    private UringSocketImpl(boolean server) {
        this.server = server;
    }

    /**
     * A new one, for {@code java.net}.
     *
     * @param wanted {@code Boolean}: whether for a ServerSocket; or the server's {@code SocketImpl}
     *     that is to accept into it, which may be the JDK's if it is older than the hook
     */
    public static SocketImpl create(Object wanted) {
        return switch (wanted) {
            case Boolean forServer -> new UringSocketImpl(forServer);
            case UringSocketImpl _ -> new UringSocketImpl(false);
            default -> new NioSocketImpl(false);
        };
    }

    // ---- state ----

    @Override
    protected void create(boolean isStream) throws IOException {
        if (!isStream) {
            throw new IOException("Datagram socket creation not supported");
        }
        synchronized (lock) {
            if (closed || stream != null || listener != null) {
                throw new IOException("Already created");
            }
            if (server) {
                var created = new ListeningSocket(this, FAMILY);
                own(created);
                listener = created;
            } else {
                var created = new StreamSocket(this, FAMILY);
                own(created);
                stream = created;
            }
        }
    }

    private void own(Endpoint endpoint) {
        fd = endpoint.fd();
        descriptor = endpoint.closer(this);
    }

    private Endpoint endpoint() throws SocketException {
        Endpoint endpoint = server ? listener : stream;
        if (endpoint == null) {
            throw isClosed() ? closed() : new SocketException("Socket not created");
        }
        return endpoint;
    }

    private StreamSocket stream() throws SocketException {
        StreamSocket s = stream;
        if (s == null) {
            throw isClosed() ? closed() : notConnected();
        }
        return s;
    }

    /** Null: not a connection. */
    StreamSocket connection() {
        return stream;
    }

    private ListeningSocket listener() throws SocketException {
        ListeningSocket l = listener;
        if (l == null) {
            throw isClosed() ? closed() : new SocketException("Socket not created");
        }
        return l;
    }

    private boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    @Override
    public boolean isChannel() {
        return false;
    }

    @Override
    public SocketException closed() {
        return new SocketException("Socket closed");
    }

    @Override
    public SocketException closedWhileWaiting() {
        return closed();
    }

    @Override
    public SocketException notConnected() {
        return new SocketException("Not connected");
    }

    /** The exception as the JDK's sockets throw it. */
    private static IOException translated(Exception e) {
        if (e instanceof SocketException || e instanceof InterruptedIOException) {
            return (IOException) e;
        }
        return socketException(e);
    }

    private static SocketException socketException(Exception e) {
        if (e instanceof SocketException socketException) {
            return socketException;
        }
        var translated = new SocketException(e.getMessage());
        translated.setStackTrace(e.getStackTrace());
        return translated;
    }

    // ---- bind and connect ----

    @Override
    protected void connect(String host, int newPort) throws IOException {
        connect(new InetSocketAddress(host, newPort), 0);
    }

    @Override
    protected void connect(InetAddress host, int newPort) throws IOException {
        connect(new InetSocketAddress(host, newPort), 0);
    }

    @Override
    protected void connect(SocketAddress remote, int timeout) throws IOException {
        if (!(remote instanceof InetSocketAddress inet)) {
            throw new IOException("Unsupported address type");
        }
        if (inet.isUnresolved()) {
            throw new UnknownHostException(SunNet.hostInfo(inet.getHostName()));
        }
        InetAddress host = inet.getAddress();
        var target =
                new InetSocketAddress(
                        host.isAnyLocalAddress() ? InetAddress.getLocalHost() : host,
                        inet.getPort());
        try {
            establish(target, MILLISECONDS.toNanos(timeout));
        } catch (SocketTimeoutException e) {
            close();
            throw e;
        } catch (InterruptedIOException e) {
            close();
            throw new SocketException("Closed by interrupt");
        } catch (IOException e) {
            close();
            throw SunNet.withAddress(e, inet);
        }
    }

    private void establish(InetSocketAddress target, long timeoutNanos) throws IOException {
        StreamSocket s = stream;
        if (s == null) {
            throw isClosed() ? closed() : new SocketException("Not created");
        }
        if (!s.isConnected() && !s.isConnectionPending()) {
            address = target.getAddress();
            port = target.getPort();
        }
        try {
            s.establish(SunNet.checkAddress(target, FAMILY), timeoutNanos);
        } catch (AlreadyConnectedException e) {
            throw new SocketException("Already connected");
        } catch (ConnectionPendingException e) {
            throw new SocketException("Connection in progress");
        } catch (UnsupportedAddressTypeException e) {
            throw new SocketException("Protocol family unavailable");
        }
        localport = portOf(s.getLocalAddress());
    }

    private static int portOf(SocketAddress address) {
        return ((InetSocketAddress) address).getPort();
    }

    @Override
    protected void bind(InetAddress host, int newPort) throws IOException {
        Endpoint endpoint = endpoint();
        endpoint.ensureOpen();
        if (localport != 0) {
            throw new SocketException("Already bound");
        }
        var local = new InetSocketAddress(host, newPort);
        try {
            if (endpoint instanceof StreamSocket s) {
                s.bind(local);
                localport = portOf(s.getLocalAddress());
            } else {
                listener.bind(local);
                localport = portOf(listener.getLocalAddress());
            }
        } catch (UnsupportedAddressTypeException e) {
            throw new SocketException("Protocol family unavailable");
        }
        address = host; // a wildcard as it was given, not as the kernel has it
    }

    @Override
    protected void listen(int backlog) throws IOException {
        ListeningSocket l = listener();
        l.ensureOpen();
        ensureBound();
        l.listen(backlog);
    }

    private void ensureBound() throws SocketException {
        if (localport == 0) {
            throw new SocketException("Not bound");
        }
    }

    // ---- accept ----

    @Override
    protected void accept(SocketImpl newImpl) throws IOException {
        var accepted = (UringSocketImpl) newImpl;
        accepted.ensureNew();
        ListeningSocket l = listener();
        l.ensureOpen();
        ensureBound();
        accepted.adopt(l.accept(MILLISECONDS.toNanos(timeoutMillis)));
    }

    private void ensureNew() throws SocketException {
        synchronized (lock) {
            if (closed || stream != null) {
                throw new SocketException("Not a newly created SocketImpl");
            }
        }
    }

    private void adopt(ListeningSocket.Accepted connection) throws IOException {
        synchronized (lock) {
            var adopted = new StreamSocket(this, FAMILY, connection);
            own(adopted);
            try {
                localport = portOf(adopted.getLocalAddress());
            } catch (IOException e) {
                descriptor.clean();
                throw e;
            }
            var remote = (InetSocketAddress) connection.remote();
            address = remote.getAddress();
            port = remote.getPort();
            stream = adopted;
        }
    }

    // ---- streams: those that java.net puts its own in front of, which report to JFR ----

    @Override
    protected InputStream getInputStream() {
        return new Input();
    }

    @Override
    protected OutputStream getOutputStream() {
        return new Output();
    }

    private final class Input extends SocketStreams.ArrayInput {
        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            if (length == 0) {
                return 0;
            }
            if (endRead) {
                return StreamSocket.EOF;
            }
            try {
                long timeoutNanos = MILLISECONDS.toNanos(timeoutMillis);
                int n = stream().read(bytes, offset, length, timeoutNanos);
                if (n == StreamSocket.EOF) {
                    endRead = true;
                }
                return n;
            } catch (IOException e) {
                throw translated(e);
            }
        }

        @Override
        public int available() throws IOException {
            return UringSocketImpl.this.available();
        }

        @Override
        public void close() throws IOException {
            UringSocketImpl.this.close();
        }
    }

    private final class Output extends SocketStreams.ArrayOutput {
        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            if (length == 0) {
                return;
            }
            try {
                stream().writeFully(bytes, offset, length);
            } catch (IOException e) {
                throw translated(e);
            }
        }

        @Override
        public void close() throws IOException {
            UringSocketImpl.this.close();
        }
    }

    @Override
    protected int available() throws IOException {
        return stream().available();
    }

    @Override
    protected boolean supportsUrgentData() {
        return true;
    }

    @Override
    protected void sendUrgentData(int data) throws IOException {
        try {
            stream().sendUrgent((byte) data);
        } catch (IOException e) {
            throw translated(e);
        }
    }

    // ---- close ----

    @Override
    protected void shutdownInput() throws IOException {
        stream().shutdownInput();
    }

    @Override
    protected void shutdownOutput() throws IOException {
        stream().shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
        }
        if (listener != null) {
            listener.close();
        } else if (stream != null) {
            stream.close();
        }
    }

    @Override
    public boolean shutsDownBeforeClose() {
        return true; // a child process may have the socket, too
    }

    @Override
    public void closeDescriptor(int fdVal) {
        descriptor.clean();
    }

    // ---- options ----

    @Override
    protected Set<SocketOption<?>> supportedOptions() {
        return server ? SocketOptions.SERVER_SOCKET : SocketOptions.SOCKET;
    }

    @Override
    protected <T> void setOption(SocketOption<T> name, T value) throws IOException {
        SocketOptions.check(supportedOptions(), name, value);
        endpoint().set(name, value);
    }

    @Override
    @SuppressWarnings("unchecked")
    protected <T> T getOption(SocketOption<T> name) throws IOException {
        SocketOptions.check(supportedOptions(), name);
        return (T) endpoint().get(name);
    }

    @Override
    public void setOption(int option, Object value) throws SocketException {
        Endpoint endpoint = endpoint();
        try {
            endpoint.ensureOpen();
            switch (option) {
                case SO_TIMEOUT -> {
                    int millis = number(value, "SO_TIMEOUT");
                    if (millis < 0) {
                        throw new SocketException("timeout < 0");
                    }
                    timeoutMillis = millis;
                }
                case SO_LINGER -> {
                    boolean off = value instanceof Boolean on && !on;
                    endpoint.set(
                            StandardSocketOptions.SO_LINGER, off ? -1 : number(value, "SO_LINGER"));
                }
                case IP_TOS -> endpoint.set(StandardSocketOptions.IP_TOS, number(value, "IP_TOS"));
                case SO_SNDBUF ->
                        endpoint.set(StandardSocketOptions.SO_SNDBUF, size(value, "SO_SNDBUF"));
                case SO_RCVBUF ->
                        endpoint.set(StandardSocketOptions.SO_RCVBUF, size(value, "SO_RCVBUF"));
                case TCP_NODELAY ->
                        endpoint.set(StandardSocketOptions.TCP_NODELAY, flag(value, "TCP_NODELAY"));
                case SO_KEEPALIVE ->
                        endpoint.set(
                                StandardSocketOptions.SO_KEEPALIVE, flag(value, "SO_KEEPALIVE"));
                case SO_OOBINLINE -> endpoint.set(SunNet.SO_OOBINLINE, flag(value, "SO_OOBINLINE"));
                case SO_REUSEADDR ->
                        endpoint.set(
                                StandardSocketOptions.SO_REUSEADDR, flag(value, "SO_REUSEADDR"));
                case SO_REUSEPORT -> {
                    ensureReusePort();
                    endpoint.set(StandardSocketOptions.SO_REUSEPORT, flag(value, "SO_REUSEPORT"));
                }
                default -> throw new SocketException("Unknown option " + option);
            }
        } catch (IllegalArgumentException | IOException e) {
            throw socketException(e);
        }
    }

    @Override
    public Object getOption(int option) throws SocketException {
        Endpoint endpoint = endpoint();
        try {
            endpoint.ensureOpen();
            return switch (option) {
                case SO_TIMEOUT -> timeoutMillis;
                case SO_LINGER -> {
                    int seconds = (int) endpoint.get(StandardSocketOptions.SO_LINGER);
                    yield seconds == -1 ? (Object) false : (Object) seconds;
                }
                case SO_BINDADDR -> ((InetSocketAddress) endpoint.socketName()).getAddress();
                case IP_TOS -> endpoint.get(StandardSocketOptions.IP_TOS);
                case SO_SNDBUF -> endpoint.get(StandardSocketOptions.SO_SNDBUF);
                case SO_RCVBUF -> endpoint.get(StandardSocketOptions.SO_RCVBUF);
                case TCP_NODELAY -> endpoint.get(StandardSocketOptions.TCP_NODELAY);
                case SO_KEEPALIVE -> endpoint.get(StandardSocketOptions.SO_KEEPALIVE);
                case SO_OOBINLINE -> endpoint.get(SunNet.SO_OOBINLINE);
                case SO_REUSEADDR -> endpoint.get(StandardSocketOptions.SO_REUSEADDR);
                case SO_REUSEPORT -> {
                    ensureReusePort();
                    yield endpoint.get(StandardSocketOptions.SO_REUSEPORT);
                }
                default -> throw new SocketException("Unknown option " + option);
            };
        } catch (IllegalArgumentException | IOException e) {
            throw socketException(e);
        }
    }

    private static void ensureReusePort() throws SocketException {
        if (!SunNet.isReusePortAvailable()) {
            throw new SocketException("SO_REUSEPORT not supported");
        }
    }

    private static int number(Object value, String option) throws SocketException {
        if (value instanceof Integer number) {
            return number;
        }
        throw new SocketException("Bad value for " + option);
    }

    private static boolean flag(Object value, String option) throws SocketException {
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw new SocketException("Bad value for " + option);
    }

    private static int size(Object value, String option) throws SocketException {
        int bytes = number(value, option);
        if (bytes <= 0) {
            throw new SocketException(option + " <= 0");
        }
        return bytes;
    }
}
