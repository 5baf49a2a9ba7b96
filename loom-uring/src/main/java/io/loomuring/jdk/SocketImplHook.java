package io.loomuring.jdk;

import static java.lang.constant.ConstantDescs.CD_Boolean;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import sun.nio.ch.SelectorProviderImpl;

import java.io.IOException;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.net.SocketImpl;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Puts implementations of ours behind {@code Socket}, {@code ServerSocket} and {@code
 * DatagramSocket}: three methods of the JDK get new bodies, and nothing else changes.
 *
 * <pre>
 *     SocketImpl.createPlatformSocketImpl(boolean server)
 *         return (SocketImpl) bridge.sockets.apply(Boolean.valueOf(server));
 *
 *     ServerSocket.platformImplAccept()
 *         SocketImpl accepted = (SocketImpl) bridge.sockets.apply(impl);
 *         implAccept(accepted);
 *         return accepted;
 *
 *     SelectorProviderImpl.openUninterruptibleDatagramChannel()
 *         return (DatagramChannel) bridge.datagrams.apply(this);
 * </pre>
 *
 * The second one knows the kind of the server, since one that is older than the hook can accept
 * into the JDK's implementation only. The third one serves {@code DatagramSocket} alone, whose
 * constructor has to forget an assertion about the result if the JDK's assertions are on. The
 * bridge is a class of {@code java.base} with two fields: the redefined methods can't see ours. Why
 * it is done so: 006-socket-impl and 009-datagram-socket in docs/decisions.
 */
public final class SocketImplHook {
    private SocketImplHook() {}

    private static final String CREATE = "createPlatformSocketImpl";
    private static final String ACCEPT = "platformImplAccept";
    private static final String ACCEPT_INTO = "implAccept";
    private static final String SERVERS_IMPL = "impl";
    private static final String PROVIDER = "sun.nio.ch.SelectorProviderImpl";
    private static final String OPEN_DATAGRAM = "openUninterruptibleDatagramChannel";
    private static final String DELEGATE = "delegate";

    private static final String BRIDGE = "sun.nio.ch.LoomUringSockets";
    private static final String SOCKETS = "sockets";
    private static final String DATAGRAMS = "datagrams";

    private static final ClassDesc CD_BRIDGE = ClassDesc.of(BRIDGE);
    private static final ClassDesc CD_FUNCTION = ClassDesc.of(Function.class.getName());
    private static final ClassDesc CD_DATAGRAM_CHANNEL =
            ClassDesc.of(DatagramChannel.class.getName());
    private static final ClassDesc CD_DATAGRAM_SOCKET =
            ClassDesc.of(DatagramSocket.class.getName());
    private static final ClassDesc CD_SOCKET_IMPL = ClassDesc.of(SocketImpl.class.getName());
    private static final ClassDesc CD_SERVER_SOCKET = ClassDesc.of(ServerSocket.class.getName());

    /**
     * Checks that the methods have the shape of JDK 25, and that nobody has done this before.
     *
     * @throws UnsupportedJdkException if not
     */
    public static void check() throws UnsupportedJdkException {
        Method create =
                Redefinition.checkMethod(SocketImpl.class, SocketImpl.class, CREATE, boolean.class);
        Method accept = Redefinition.checkMethod(ServerSocket.class, SocketImpl.class, ACCEPT);
        Method acceptInto =
                Redefinition.checkMethod(
                        ServerSocket.class, void.class, ACCEPT_INTO, SocketImpl.class);
        Method openDatagram =
                Redefinition.checkMethod(
                        Redefinition.find(PROVIDER), // by name: its package may not be open yet
                        DatagramChannel.class,
                        OPEN_DATAGRAM);
        if (!Modifier.isStatic(create.getModifiers())
                || Modifier.isStatic(accept.getModifiers())
                || Modifier.isStatic(acceptInto.getModifiers())
                || Modifier.isStatic(openDatagram.getModifiers())) {
            throw new UnsupportedJdkException(
                    "the methods of java.net that create sockets have another shape", null);
        }
        Redefinition.checkField(ServerSocket.class, SocketImpl.class, SERVERS_IMPL);
        Redefinition.checkField(DatagramSocket.class, DatagramSocket.class, DELEGATE);
        if (Stream.of(DatagramSocket.class.getDeclaredFields())
                        .filter(field -> !Modifier.isStatic(field.getModifiers()))
                        .count()
                != 1) {
            throw new UnsupportedJdkException("DatagramSocket has another state", null);
        }
        if (isInstalled()) {
            throw new UnsupportedJdkException(
                    "another copy of loom-uring has replaced this JVM's sockets", null);
        }
    }

    /** Whether this was done in this JVM, by this class or its like of another class loader. */
    public static boolean isInstalled() {
        try {
            Class.forName(BRIDGE, false, null);
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /**
     * Makes functions the makers of every platform socket from now on.
     *
     * @param sockets given {@code Boolean}, whether for a ServerSocket, or the {@code SocketImpl}
     *     of a ServerSocket, which accepts into what is returned: a new {@code SocketImpl} that is
     *     a {@code PlatformSocketImpl}
     * @param datagrams opens a channel for a {@code DatagramSocket} or {@code MulticastSocket},
     *     whose own {@code socket()} is a {@code MulticastSocket}
     * @throws UnsupportedJdkException if the JVM refuses; then nothing has changed
     */
    public static void install(
            Function<Object, Object> sockets, Callable<DatagramChannel> datagrams)
            throws UnsupportedJdkException {
        if (JdkInternals.isRecordingCache()) {
            return; // the JVM can't assemble the cache if one of its own classes was redefined
        }
        Function<Object, Object> opener =
                provider -> {
                    try {
                        return datagrams.call();
                    } catch (Exception e) {
                        throw SunNet.thrown(e); // the redefined method declares IOException
                    }
                };
        var targets = new ArrayList<Class<?>>();
        var classFiles = new ArrayList<byte[]>();
        try {
            targets.add(SocketImpl.class);
            classFiles.add(
                    Redefinition.withBody(
                            SocketImpl.class,
                            CREATE,
                            MethodTypeDesc.of(CD_SOCKET_IMPL, CD_boolean),
                            SocketImplHook::create));
            targets.add(ServerSocket.class);
            classFiles.add(
                    Redefinition.withBody(
                            ServerSocket.class,
                            ACCEPT,
                            MethodTypeDesc.of(CD_SOCKET_IMPL),
                            SocketImplHook::accept));
            targets.add(SelectorProviderImpl.class);
            classFiles.add(
                    Redefinition.withBody(
                            SelectorProviderImpl.class,
                            OPEN_DATAGRAM,
                            MethodTypeDesc.of(CD_DATAGRAM_CHANNEL),
                            SocketImplHook::openDatagram));
            if (DatagramSocket.class.desiredAssertionStatus()) {
                targets.add(DatagramSocket.class);
                classFiles.add(
                        Redefinition.withBody(
                                DatagramSocket.class,
                                INIT_NAME,
                                MethodTypeDesc.of(CD_void, CD_DATAGRAM_SOCKET),
                                SocketImplHook::delegate));
            }
            Redefinition.defineBridge(
                    CD_BRIDGE, Function.class, Map.of(SOCKETS, sockets, DATAGRAMS, opener));
            JdkInternals.redefine(
                    targets.toArray(Class<?>[]::new), classFiles.toArray(byte[][]::new));
        } catch (ReflectiveOperationException
                | IOException
                | IllegalArgumentException
                | LinkageError e) {
            throw new UnsupportedJdkException("java.net's sockets can't be replaced: " + e, e);
        }
    }

    private static void create(CodeBuilder code) {
        code.getstatic(CD_BRIDGE, SOCKETS, CD_FUNCTION)
                .iload(0)
                .invokestatic(CD_Boolean, "valueOf", MethodTypeDesc.of(CD_Boolean, CD_boolean));
        apply(code).areturn();
    }

    private static void accept(CodeBuilder code) {
        code.getstatic(CD_BRIDGE, SOCKETS, CD_FUNCTION)
                .aload(0)
                .getfield(CD_SERVER_SOCKET, SERVERS_IMPL, CD_SOCKET_IMPL);
        apply(code)
                .astore(1)
                .aload(0)
                .aload(1)
                .invokevirtual(
                        CD_SERVER_SOCKET, ACCEPT_INTO, MethodTypeDesc.of(CD_void, CD_SOCKET_IMPL))
                .aload(1)
                .areturn();
    }

    private static void openDatagram(CodeBuilder code) {
        code.getstatic(CD_BRIDGE, DATAGRAMS, CD_FUNCTION)
                .aload(0)
                .invokeinterface(CD_FUNCTION, "apply", MethodTypeDesc.of(CD_Object, CD_Object))
                .checkcast(CD_DATAGRAM_CHANNEL)
                .areturn();
    }

    /** The constructor's, without the assertion that the delegate is one of the JDK's. */
    private static void delegate(CodeBuilder code) {
        code.aload(0)
                .invokespecial(CD_Object, INIT_NAME, MethodTypeDesc.of(CD_void))
                .aload(0)
                .aload(1)
                .putfield(CD_DATAGRAM_SOCKET, DELEGATE, CD_DATAGRAM_SOCKET)
                .return_();
    }

    private static CodeBuilder apply(CodeBuilder code) {
        return code.invokeinterface(CD_FUNCTION, "apply", MethodTypeDesc.of(CD_Object, CD_Object))
                .checkcast(CD_SOCKET_IMPL);
    }
}
