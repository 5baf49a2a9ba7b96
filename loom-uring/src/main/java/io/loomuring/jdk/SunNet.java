package io.loomuring.jdk;

import static java.lang.invoke.MethodType.methodType;

import io.loomuring.abi.Shim;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import jdk.internal.access.JavaNioAccess;
import jdk.internal.access.SharedSecrets;
import jdk.internal.event.SocketReadEvent;
import jdk.internal.event.SocketWriteEvent;

import sun.net.ext.ExtendedSocketOptions;
import sun.net.util.IPAddressUtil;
import sun.nio.ch.IOUtil;
import sun.nio.ch.Net;
import sun.nio.ch.SelectionKeyImpl;
import sun.nio.ch.Util;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.file.Path;
import java.util.Set;

/**
 * The JDK's own socket helpers, for everything about a socket that is not hot: creation, addresses,
 * options, half-close, non-blocking connect. Using the JDK's code keeps its dual-stack rules, its
 * option handling and its exceptions to the letter.
 *
 * <p>None of these calls blocks. Loaded after {@link JdkInternals#open}; {@link #check} says
 * whether all of it was found.
 */
public final class SunNet {
    private SunNet() {}

    private static String missing; // the first helper that this JDK lacks; set while initialising

    private static final Class<?> UNIX = holder("sun.nio.ch.UnixDomainSockets");
    private static final Class<?> EXCEPTIONS = holder("jdk.internal.util.Exceptions");
    private static final Class<?> SENSITIVE_INFO =
            holder("jdk.internal.util.Exceptions$SensitiveInfo");
    private static final Class<?> HOOKS = holder("sun.net.NetHooks");

    private static final MethodHandle IPV6_AVAILABLE =
            find(Net.class, "isIPv6Available", boolean.class);
    private static final MethodHandle REUSEPORT_AVAILABLE =
            find(Net.class, "isReusePortAvailable", boolean.class);
    private static final MethodHandle SHUTDOWN_BEFORE_CLOSE =
            find(Net.class, "shouldShutdownWriteBeforeClose", boolean.class);
    private static final MethodHandle CHECK_ADDRESS =
            find(
                    Net.class,
                    "checkAddress",
                    InetSocketAddress.class,
                    SocketAddress.class,
                    ProtocolFamily.class);
    private static final MethodHandle ANY_LOCAL =
            find(Net.class, "anyLocalAddress", InetAddress.class, ProtocolFamily.class);
    private static final MethodHandle INET4_LOOPBACK =
            find(Net.class, "inet4LoopbackAddress", InetAddress.class);
    private static final MethodHandle INET6_LOOPBACK =
            find(Net.class, "inet6LoopbackAddress", InetAddress.class);
    private static final MethodHandle TRANSLATE =
            find(Net.class, "translateException", void.class, Exception.class);
    private static final MethodHandle TRANSLATE_TO_SOCKET =
            find(Net.class, "translateToSocketException", void.class, Exception.class);
    private static final MethodHandle SOCKET =
            find(Net.class, "socket", FileDescriptor.class, ProtocolFamily.class, boolean.class);
    private static final MethodHandle SERVER_SOCKET =
            find(Net.class, "serverSocket", FileDescriptor.class, ProtocolFamily.class);
    private static final MethodHandle BIND =
            find(
                    Net.class,
                    "bind",
                    void.class,
                    ProtocolFamily.class,
                    FileDescriptor.class,
                    InetAddress.class,
                    int.class);
    private static final MethodHandle LISTEN =
            find(Net.class, "listen", void.class, FileDescriptor.class, int.class);
    private static final MethodHandle CONNECT =
            find(
                    Net.class,
                    "connect",
                    int.class,
                    ProtocolFamily.class,
                    FileDescriptor.class,
                    SocketAddress.class);
    private static final MethodHandle POLL_CONNECT =
            find(Net.class, "pollConnectNow", boolean.class, FileDescriptor.class);
    private static final MethodHandle SHUTDOWN =
            find(Net.class, "shutdown", void.class, FileDescriptor.class, int.class);
    private static final MethodHandle AVAILABLE =
            find(Net.class, "available", int.class, FileDescriptor.class);
    private static final MethodHandle GET_OPTION =
            find(
                    Net.class,
                    "getSocketOption",
                    Object.class,
                    FileDescriptor.class,
                    ProtocolFamily.class,
                    SocketOption.class);
    private static final MethodHandle SET_OPTION =
            find(
                    Net.class,
                    "setSocketOption",
                    void.class,
                    FileDescriptor.class,
                    ProtocolFamily.class,
                    SocketOption.class,
                    Object.class);
    private static final MethodHandle SET_IP_OPTION =
            find(
                    Net.class,
                    "setIpSocketOption",
                    void.class,
                    FileDescriptor.class,
                    ProtocolFamily.class,
                    SocketOption.class,
                    Object.class);

    private static final MethodHandle UNIX_SUPPORTED = find(UNIX, "isSupported", boolean.class);
    private static final MethodHandle UNIX_SOCKET = find(UNIX, "socket", FileDescriptor.class);
    private static final MethodHandle UNIX_BIND =
            find(UNIX, "bind", void.class, FileDescriptor.class, Path.class);
    private static final MethodHandle UNIX_CONNECT =
            find(UNIX, "connect", int.class, FileDescriptor.class, SocketAddress.class);
    private static final MethodHandle UNIX_LOCAL =
            find(UNIX, "localAddress", UnixDomainSocketAddress.class, FileDescriptor.class);
    private static final MethodHandle UNIX_CHECK =
            find(UNIX, "checkAddress", UnixDomainSocketAddress.class, SocketAddress.class);
    private static final MethodHandle UNIX_UNNAMED =
            find(UNIX, "unnamed", UnixDomainSocketAddress.class);
    private static final MethodHandle UNIX_TEMP_NAME =
            find(UNIX, "generateTempName", UnixDomainSocketAddress.class);
    private static final MethodHandle UNIX_PATH_BYTES =
            find(UNIX, "getPathBytes", byte[].class, Path.class);

    private static final VarHandle SOCKET_IMPL = field(Socket.class, "impl", SocketImpl.class);
    private static final Class<?> DELEGATING_IMPL = holder("java.net.DelegatingSocketImpl");
    private static final VarHandle DELEGATE = field(DELEGATING_IMPL, "delegate", SocketImpl.class);

    private static final MethodHandle DUMMY_IMPL =
            returning(
                    SocketImpl.class,
                    find(holder("sun.nio.ch.DummySocketImpl"), "create", SocketImpl.class));
    private static final MethodHandle BEFORE_BIND =
            find(
                    HOOKS,
                    "beforeTcpBind",
                    void.class,
                    FileDescriptor.class,
                    InetAddress.class,
                    int.class);
    private static final MethodHandle BEFORE_CONNECT =
            find(
                    HOOKS,
                    "beforeTcpConnect",
                    void.class,
                    FileDescriptor.class,
                    InetAddress.class,
                    int.class);
    private static final MethodHandle WITH_ADDRESS =
            find(
                    EXCEPTIONS,
                    "ioException",
                    IOException.class,
                    IOException.class,
                    SocketAddress.class);
    private static final MethodHandle HOST_INFO =
            then(
                    find(EXCEPTIONS, "filterNonSocketInfo", SENSITIVE_INFO, String.class),
                    find(EXCEPTIONS, "formatMsg", String.class, SENSITIVE_INFO));

    private static final MethodHandle CLEANER =
            find(holder("jdk.internal.ref.CleanerFactory"), "cleaner", Cleaner.class);
    private static final MethodHandle PRE_CLOSE =
            find(
                    initialized(holder("sun.nio.ch.UnixDispatcher")),
                    "preClose0",
                    void.class,
                    FileDescriptor.class);
    private static final MethodHandle GIVE_BACK_TEMPORARY =
            find(Util.class, "offerFirstTemporaryDirectBuffer", void.class, ByteBuffer.class);

    private static final MethodHandle MAKE_PIPE =
            find(IOUtil.class, "makePipe", long.class, boolean.class);
    private static final Class<?> INHERITED_CHANNEL = holder("sun.nio.ch.InheritedChannel");
    private static final MethodHandle INHERITED =
            find(INHERITED_CHANNEL, "getChannel", Channel.class);
    private static final MethodHandle DETACH_STREAMS =
            find(INHERITED_CHANNEL, "detachIOStreams", void.class);
    private static final VarHandle KEY_INDEX = field(SelectionKeyImpl.class, "index", int.class);
    private static final VarHandle KEY_EVENTS =
            field(SelectionKeyImpl.class, "registeredEvents", int.class);

    private static final ProtocolFamily UNSPEC =
            constant(Net.class, "UNSPEC", ProtocolFamily.class);

    /** The option that {@code Socket.setOOBInline} sets; not public in the JDK. */
    @SuppressWarnings("unchecked")
    public static final SocketOption<Boolean> SO_OOBINLINE =
            constant(holder("sun.nio.ch.ExtendedSocketOption"), "SO_OOBINLINE", SocketOption.class);

    private static final JavaNioAccess NIO = SharedSecrets.getJavaNioAccess();

    static Class<?> holder(String name) {
        try {
            return Class.forName(name, false, null);
        } catch (ClassNotFoundException e) {
            missing(name);
            return Void.class;
        }
    }

    /** What its initialiser opens is there at the time when there may be no descriptors left. */
    private static Class<?> initialized(Class<?> holder) {
        try {
            return MethodHandles.privateLookupIn(holder, MethodHandles.lookup())
                    .ensureInitialized(holder);
        } catch (IllegalAccessException e) {
            missing(holder.getName());
            return holder;
        }
    }

    static MethodHandle find(
            Class<?> holder, String name, Class<?> returns, Class<?>... parameters) {
        var type = methodType(returns, parameters);
        try {
            return MethodHandles.privateLookupIn(holder, MethodHandles.lookup())
                    .findStatic(holder, name, type);
        } catch (ReflectiveOperationException e) {
            missing(holder.getName() + "." + name + type);
            return null;
        }
    }

    private static VarHandle field(Class<?> holder, String name, Class<?> type) {
        try {
            return MethodHandles.privateLookupIn(holder, MethodHandles.lookup())
                    .findVarHandle(holder, name, type);
        } catch (ReflectiveOperationException e) {
            missing(holder.getName() + "." + name);
            return null;
        }
    }

    static <T> T constant(Class<?> holder, String name, Class<T> type) {
        try {
            var lookup = MethodHandles.privateLookupIn(holder, MethodHandles.lookup());
            return type.cast(lookup.findStaticVarHandle(holder, name, type).get());
        } catch (ReflectiveOperationException e) {
            missing(holder.getName() + "." + name);
            return null;
        }
    }

    private static MethodHandle returning(Class<?> type, MethodHandle handle) {
        return handle == null ? null : handle.asType(handle.type().changeReturnType(type));
    }

    private static MethodHandle then(MethodHandle first, MethodHandle second) {
        return first == null || second == null
                ? null
                : MethodHandles.filterReturnValue(first, second);
    }

    static void missing(String what) {
        if (missing == null) {
            missing = what;
        }
    }

    /**
     * Says whether every helper was found; called before a channel of ours is opened.
     *
     * @throws UnsupportedJdkException naming the first that was not
     */
    public static void check() throws UnsupportedJdkException {
        SunDatagrams.findAll();
        if (missing != null) {
            throw new UnsupportedJdkException(missing + " does not exist in this JDK", null);
        }
    }

    /** What a handle threw, unchanged. */
    static RuntimeException thrown(Throwable e) {
        return SunNet.<RuntimeException>unchecked(e);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> RuntimeException unchecked(Throwable e) throws X {
        throw (X) e;
    }

    // ---- buffers ----

    /**
     * Keeps a buffer's memory from being freed until {@link #release}, and returns its address:
     * that of position 0 of a direct buffer. Any buffer may be passed.
     *
     * @throws IllegalStateException if the buffer's arena is closed
     */
    public static long acquire(ByteBuffer buffer) {
        NIO.acquireSession(buffer);
        return NIO.getBufferAddress(buffer);
    }

    public static void release(ByteBuffer buffer) {
        try {
            NIO.releaseSession(buffer);
        } finally {
            Reference.reachabilityFence(buffer);
        }
    }

    /**
     * Native memory of the calling thread's own, kept for its next call: position 0, limit {@code
     * size}. To be given back by the same thread, last taken first.
     */
    public static ByteBuffer takeTemporary(int size) {
        return Util.getTemporaryDirectBuffer(size);
    }

    public static void giveBackTemporary(ByteBuffer buffer) {
        try {
            GIVE_BACK_TEMPORARY.invokeExact(buffer);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static long address(ByteBuffer buffer) {
        return NIO.getBufferAddress(buffer);
    }

    // ---- JFR's events; each of the first two is a constant false unless JFR records them ----

    public static boolean readEventEnabled() {
        return SocketReadEvent.enabled();
    }

    public static boolean writeEventEnabled() {
        return SocketWriteEvent.enabled();
    }

    public static long readEventStart() {
        return SocketReadEvent.timestamp();
    }

    public static long writeEventStart() {
        return SocketWriteEvent.timestamp();
    }

    public static void readEvent(long start, long bytes, SocketAddress remote, int timeoutMillis) {
        SocketReadEvent.offer(start, bytes, remote, timeoutMillis);
    }

    public static void writeEvent(long start, long bytes, SocketAddress remote) {
        SocketWriteEvent.offer(start, bytes, remote);
    }

    /** Registers an action with the JDK's own cleaner, which has a thread already. */
    public static Cleaner.Cleanable whenUnreachable(Object object, Runnable action) {
        try {
            return ((Cleaner) CLEANER.invokeExact()).register(object, action);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    // ---- what this machine has ----

    public static boolean isIPv6Available() {
        try {
            return (boolean) IPV6_AVAILABLE.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static boolean isReusePortAvailable() {
        try {
            return (boolean) REUSEPORT_AVAILABLE.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static boolean isUnixSupported() {
        try {
            return (boolean) UNIX_SUPPORTED.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /**
     * Whether closing a connection shuts its output first, so that a child process can't hold it.
     */
    public static boolean shutsDownBeforeClose() {
        try {
            return (boolean) SHUTDOWN_BEFORE_CLOSE.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    // ---- addresses ----

    public static InetSocketAddress checkAddress(SocketAddress address, ProtocolFamily family) {
        try {
            return (InetSocketAddress) CHECK_ADDRESS.invokeExact(address, family);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static UnixDomainSocketAddress checkUnixAddress(SocketAddress address) {
        try {
            return (UnixDomainSocketAddress) UNIX_CHECK.invokeExact(address);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static InetAddress anyLocalAddress(ProtocolFamily family) {
        try {
            return (InetAddress) ANY_LOCAL.invokeExact(family);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static InetAddress inet4Loopback() {
        try {
            return (InetAddress) INET4_LOOPBACK.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static InetAddress inet6Loopback() {
        try {
            return (InetAddress) INET6_LOOPBACK.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static UnixDomainSocketAddress unnamed() {
        try {
            return (UnixDomainSocketAddress) UNIX_UNNAMED.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** A name in the directory for sockets that are bound automatically; another at each call. */
    public static UnixDomainSocketAddress temporaryName() throws IOException {
        try {
            return (UnixDomainSocketAddress) UNIX_TEMP_NAME.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Whether a path is one of the system's, as {@link #pathBytes} needs it. */
    public static boolean isSystemPath(Path path) {
        return path.getClass().getName().equals("sun.nio.fs.UnixPath");
    }

    /** The file system's bytes of a path, without a terminating NUL. */
    public static byte[] pathBytes(Path path) {
        try {
            return (byte[]) UNIX_PATH_BYTES.invokeExact(path);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Gives a link-local address without a scope the one that the JDK would choose. */
    public static InetAddress scoped(InetAddress address) throws SocketException {
        return address.isLinkLocalAddress() ? IPAddressUtil.toScopedAddress(address) : address;
    }

    // ---- sockets; UNIX is a family like the others here ----

    public static FileDescriptor socket(ProtocolFamily family) throws IOException {
        try {
            return closedOnExec(
                    family == StandardProtocolFamily.UNIX
                            ? (FileDescriptor) UNIX_SOCKET.invokeExact()
                            : (FileDescriptor) SOCKET.invokeExact(family, true));
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** The JDK leaves its own sockets open to programs that native code starts. */
    public static FileDescriptor closedOnExec(FileDescriptor fd) {
        Shim.closeOnExec(fdVal(fd));
        return fd;
    }

    public static FileDescriptor serverSocket(ProtocolFamily family) throws IOException {
        try {
            return closedOnExec(
                    family == StandardProtocolFamily.UNIX
                            ? (FileDescriptor) UNIX_SOCKET.invokeExact()
                            : (FileDescriptor) SERVER_SOCKET.invokeExact(family));
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static int fdVal(FileDescriptor fd) {
        return IOUtil.fdVal(fd);
    }

    public static FileDescriptor newFd(int fd) {
        return IOUtil.newFD(fd);
    }

    public static void configureBlocking(FileDescriptor fd, boolean blocking) throws IOException {
        IOUtil.configureBlocking(fd, blocking);
    }

    /** Binds an IP socket. */
    public static void bind(ProtocolFamily family, FileDescriptor fd, InetSocketAddress local)
            throws IOException {
        InetAddress address = local.getAddress();
        int port = local.getPort();
        try {
            BEFORE_BIND.invokeExact(fd, address, port);
            BIND.invokeExact(family, fd, address, port);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Binds a Unix domain socket to a path that is not empty. */
    public static void bind(FileDescriptor fd, Path path) throws IOException {
        try {
            UNIX_BIND.invokeExact(fd, path);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static void listen(FileDescriptor fd, int backlog) throws IOException {
        try {
            LISTEN.invokeExact(fd, backlog);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static SocketAddress localAddress(ProtocolFamily family, FileDescriptor fd)
            throws IOException {
        try {
            return family == StandardProtocolFamily.UNIX
                    ? (UnixDomainSocketAddress) UNIX_LOCAL.invokeExact(fd)
                    : Net.localAddress(fd);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** The hook for an IP socket that is about to be connected and is not bound. */
    public static void beforeConnect(FileDescriptor fd, InetSocketAddress remote)
            throws IOException {
        try {
            BEFORE_CONNECT.invokeExact(fd, remote.getAddress(), remote.getPort());
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /**
     * Starts to connect a socket in non-blocking mode.
     *
     * @return whether the connection is established already
     */
    public static boolean connect(ProtocolFamily family, FileDescriptor fd, SocketAddress remote)
            throws IOException {
        try {
            int n =
                    family == StandardProtocolFamily.UNIX
                            ? (int) UNIX_CONNECT.invokeExact(fd, remote)
                            : (int) CONNECT.invokeExact(family, fd, remote);
            return n > 0;
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Whether a connection that was being established is; throws if it failed. Never waits. */
    public static boolean pollConnect(FileDescriptor fd) throws IOException {
        try {
            return (boolean) POLL_CONNECT.invokeExact(fd);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static void shutdownInput(FileDescriptor fd) throws IOException {
        shutdown(fd, Net.SHUT_RD);
    }

    public static void shutdownOutput(FileDescriptor fd) throws IOException {
        shutdown(fd, Net.SHUT_WR);
    }

    private static void shutdown(FileDescriptor fd, int how) throws IOException {
        try {
            SHUTDOWN.invokeExact(fd, how);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static int available(FileDescriptor fd) throws IOException {
        try {
            return (int) AVAILABLE.invokeExact(fd);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /**
     * Gets a thread out of a blocking call on a socket: the number then stands for a socket that is
     * shut down both ways, and the thread gets a signal that does nothing else. The number is still
     * to be closed.
     *
     * @param nativeThread what {@link JdkInternals.Threads#nativeThread} said in that thread
     */
    public static void kick(int fd, long nativeThread) {
        FileDescriptor descriptor = IOUtil.newFD(fd);
        try {
            PRE_CLOSE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw thrown(e);
        }
        JdkInternals.Threads.signal(nativeThread);
    }

    // ---- pipes, inherited sockets ----

    /** A pipe's ends, the one to read from first. */
    public static FileDescriptor[] pipe() throws IOException {
        try {
            long fds = (long) MAKE_PIPE.invokeExact(false);
            return new FileDescriptor[] {
                closedOnExec(newFd((int) (fds >>> Integer.SIZE))), closedOnExec(newFd((int) fds))
            };
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /**
     * The channel of the socket that is this process's standard input, of the JDK's classes and
     * over a descriptor of its own; null if that is no socket. The same one each time.
     */
    public static Channel inheritedChannel() throws IOException {
        try {
            return (Channel) INHERITED.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Puts {@code /dev/null} in the place of the three standard streams. */
    public static void detachStandardStreams() {
        try {
            DETACH_STREAMS.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    // ---- options ----

    public static Set<SocketOption<?>> extendedStreamOptions() {
        return ExtendedSocketOptions.clientSocketOptions();
    }

    public static Set<SocketOption<?>> extendedListenOptions() {
        return ExtendedSocketOptions.serverSocketOptions();
    }

    public static Set<SocketOption<?>> extendedUnixOptions() {
        return ExtendedSocketOptions.unixDomainSocketOptions();
    }

    /** An option that means the same for every family. */
    public static Object getOption(FileDescriptor fd, SocketOption<?> name) throws IOException {
        return getOption(fd, UNSPEC, name);
    }

    /** An option whose level depends on the family, as that of {@code IP_TOS} does. */
    public static Object getOption(FileDescriptor fd, ProtocolFamily family, SocketOption<?> name)
            throws IOException {
        try {
            return (Object) GET_OPTION.invokeExact(fd, family, name);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    public static void setOption(FileDescriptor fd, SocketOption<?> name, Object value)
            throws IOException {
        try {
            SET_OPTION.invokeExact(fd, UNSPEC, name, value);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** Sets an IP option of a dual-stack socket for both protocols. */
    public static void setIpOption(
            FileDescriptor fd, ProtocolFamily family, SocketOption<?> name, Object value)
            throws IOException {
        try {
            SET_IP_OPTION.invokeExact(fd, family, name, value);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    // ---- what a key has for its selector alone, under the selector's lock; 0 at first ----

    public static int index(SelectionKeyImpl key) {
        return (int) KEY_INDEX.get(key);
    }

    public static void index(SelectionKeyImpl key, int index) {
        KEY_INDEX.set(key, index);
    }

    public static int registeredEvents(SelectionKeyImpl key) {
        return (int) KEY_EVENTS.get(key);
    }

    public static void registeredEvents(SelectionKeyImpl key, int events) {
        KEY_EVENTS.set(key, events);
    }

    // ---- what the socket adaptors of channels share with the JDK's ----

    /** A SocketImpl for sockets that override every method that would use one. */
    public static SocketImpl dummySocketImpl() {
        try {
            return (SocketImpl) DUMMY_IMPL.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** What is behind a socket and what that delegates to, such as a proxy's; null: nothing yet. */
    public static SocketImpl implOf(Socket socket) {
        var impl = (SocketImpl) SOCKET_IMPL.getVolatile(socket);
        while (DELEGATING_IMPL.isInstance(impl)) {
            impl = (SocketImpl) DELEGATE.get(impl);
        }
        return impl;
    }

    /** Throws a channel's exception as the one that {@code java.net} documents. */
    public static RuntimeException translate(Exception e) throws IOException {
        try {
            TRANSLATE.invokeExact(e);
        } catch (Throwable t) {
            throw thrown(t);
        }
        throw new AssertionError(e);
    }

    /** As {@link #translate}, for methods that throw no more than SocketException. */
    public static RuntimeException translateToSocketException(Exception e) throws SocketException {
        try {
            TRANSLATE_TO_SOCKET.invokeExact(e);
        } catch (Throwable t) {
            throw thrown(t);
        }
        throw new AssertionError(e);
    }

    /** Adds an address to an exception's message, if {@code jdk.includeInExceptions} allows it. */
    public static IOException withAddress(IOException e, SocketAddress address) {
        try {
            return (IOException) WITH_ADDRESS.invokeExact(e, address);
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /** The name of a host as an exception's message may show it. */
    public static String hostInfo(String host) {
        try {
            return (String) HOST_INFO.invokeExact(host);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }
}
