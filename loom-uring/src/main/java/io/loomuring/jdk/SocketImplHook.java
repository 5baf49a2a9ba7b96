package io.loomuring.jdk;

import static java.lang.constant.ConstantDescs.CD_Boolean;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import java.io.IOException;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.ServerSocket;
import java.net.SocketImpl;
import java.util.Map;
import java.util.function.Function;

/**
 * Puts an implementation of ours behind {@code Socket} and {@code ServerSocket}: two methods of
 * {@code java.net} get new bodies, and nothing else changes.
 *
 * <pre>
 *     SocketImpl.createPlatformSocketImpl(boolean server)
 *         return (SocketImpl) bridge.sockets.apply(Boolean.valueOf(server));
 *
 *     ServerSocket.platformImplAccept()
 *         SocketImpl accepted = (SocketImpl) bridge.sockets.apply(impl);
 *         implAccept(accepted);
 *         return accepted;
 * </pre>
 *
 * The second one knows the kind of the server, since one that is older than the hook can accept
 * into the JDK's implementation only. The bridge is a class of {@code java.base} with one field:
 * the redefined methods can't see ours. Why it is done so: 006-socket-impl in docs/decisions.
 */
public final class SocketImplHook {
    private SocketImplHook() {}

    private static final String CREATE = "createPlatformSocketImpl";
    private static final String ACCEPT = "platformImplAccept";
    private static final String ACCEPT_INTO = "implAccept";
    private static final String SERVERS_IMPL = "impl";

    private static final String BRIDGE = "sun.nio.ch.LoomUringSockets";
    private static final String SOCKETS = "sockets";

    private static final ClassDesc CD_BRIDGE = ClassDesc.of(BRIDGE);
    private static final ClassDesc CD_FUNCTION = ClassDesc.of(Function.class.getName());
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
        if (!Modifier.isStatic(create.getModifiers())
                || Modifier.isStatic(accept.getModifiers())
                || Modifier.isStatic(acceptInto.getModifiers())) {
            throw new UnsupportedJdkException(
                    "the methods of java.net that create sockets have another shape", null);
        }
        Redefinition.checkField(ServerSocket.class, SocketImpl.class, SERVERS_IMPL);
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
     * Makes a function the maker of every platform socket from now on.
     *
     * @param sockets given {@code Boolean}, whether for a ServerSocket, or the {@code SocketImpl}
     *     of a ServerSocket, which accepts into what is returned: a new {@code SocketImpl} that is
     *     a {@code PlatformSocketImpl}
     * @throws UnsupportedJdkException if the JVM refuses; then nothing has changed
     */
    public static void install(Function<Object, Object> sockets) throws UnsupportedJdkException {
        if (JdkInternals.isRecordingCache()) {
            return; // the JVM can't assemble the cache if one of its own classes was redefined
        }
        try {
            byte[] socketImpl =
                    Redefinition.withBody(
                            SocketImpl.class,
                            CREATE,
                            MethodTypeDesc.of(CD_SOCKET_IMPL, CD_boolean),
                            SocketImplHook::create);
            byte[] serverSocket =
                    Redefinition.withBody(
                            ServerSocket.class,
                            ACCEPT,
                            MethodTypeDesc.of(CD_SOCKET_IMPL),
                            SocketImplHook::accept);
            Redefinition.defineBridge(CD_BRIDGE, Function.class, Map.of(SOCKETS, sockets));
            JdkInternals.redefine(
                    new Class<?>[] {SocketImpl.class, ServerSocket.class},
                    new byte[][] {socketImpl, serverSocket});
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

    private static CodeBuilder apply(CodeBuilder code) {
        return code.invokeinterface(CD_FUNCTION, "apply", MethodTypeDesc.of(CD_Object, CD_Object))
                .checkcast(CD_SOCKET_IMPL);
    }
}
