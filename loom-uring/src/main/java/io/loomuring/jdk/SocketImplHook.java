package io.loomuring.jdk;

import static java.lang.classfile.ClassFile.ACC_FINAL;
import static java.lang.classfile.ClassFile.ACC_PUBLIC;
import static java.lang.classfile.ClassFile.ACC_STATIC;
import static java.lang.classfile.ClassFile.ACC_SYNTHETIC;
import static java.lang.constant.ConstantDescs.CD_Boolean;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.ServerSocket;
import java.net.SocketImpl;
import java.util.function.Consumer;
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
        Method create = method(SocketImpl.class, CREATE, boolean.class);
        Method accept = method(ServerSocket.class, ACCEPT);
        Method acceptInto = method(ServerSocket.class, ACCEPT_INTO, SocketImpl.class);
        if (create.getReturnType() != SocketImpl.class
                || !Modifier.isStatic(create.getModifiers())
                || accept.getReturnType() != SocketImpl.class
                || Modifier.isStatic(accept.getModifiers())
                || acceptInto.getReturnType() != void.class
                || Modifier.isStatic(acceptInto.getModifiers())) {
            throw new UnsupportedJdkException(
                    "the methods of java.net that create sockets have another shape", null);
        }
        try {
            if (ServerSocket.class.getDeclaredField(SERVERS_IMPL).getType() != SocketImpl.class) {
                throw new UnsupportedJdkException("ServerSocket.impl is no SocketImpl", null);
            }
        } catch (NoSuchFieldException e) {
            throw new UnsupportedJdkException("ServerSocket.impl does not exist in this JDK", e);
        }
        if (isInstalled()) {
            throw new UnsupportedJdkException(
                    "another copy of loom-uring has replaced this JVM's sockets", null);
        }
    }

    private static Method method(Class<?> holder, String name, Class<?>... parameters)
            throws UnsupportedJdkException {
        try {
            return holder.getDeclaredMethod(name, parameters);
        } catch (NoSuchMethodException e) {
            throw new UnsupportedJdkException(
                    holder.getName() + "." + name + " does not exist in this JDK", e);
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
                    withBody(
                            SocketImpl.class,
                            CREATE,
                            MethodTypeDesc.of(CD_SOCKET_IMPL, CD_boolean),
                            SocketImplHook::create);
            byte[] serverSocket =
                    withBody(
                            ServerSocket.class,
                            ACCEPT,
                            MethodTypeDesc.of(CD_SOCKET_IMPL),
                            SocketImplHook::accept);
            defineBridge(sockets);
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

    /** The JDK's own class file with another body for one method. */
    private static byte[] withBody(
            Class<?> type, String name, MethodTypeDesc descriptor, Consumer<CodeBuilder> body)
            throws IOException {
        String file = type.getName().replace('.', '/') + ".class";
        byte[] original;
        try (InputStream in = type.getModule().getResourceAsStream(file)) {
            if (in == null) {
                throw new IOException("no " + file);
            }
            original = in.readAllBytes();
        }
        var classFile = ClassFile.of();
        return classFile.transformClass(
                classFile.parse(original),
                ClassTransform.transformingMethods(
                        method -> is(method, name, descriptor),
                        (builder, element) -> {
                            if (element instanceof CodeModel) {
                                builder.withCode(body);
                            } else {
                                builder.with(element);
                            }
                        }));
    }

    private static boolean is(MethodModel method, String name, MethodTypeDesc descriptor) {
        return method.methodName().equalsString(name)
                && method.methodTypeSymbol().equals(descriptor);
    }

    private static void defineBridge(Function<Object, Object> sockets)
            throws ReflectiveOperationException {
        byte[] bytes =
                ClassFile.of()
                        .build(
                                CD_BRIDGE,
                                type ->
                                        type.withFlags(ACC_PUBLIC | ACC_FINAL | ACC_SYNTHETIC)
                                                .withField(
                                                        SOCKETS,
                                                        CD_FUNCTION,
                                                        ACC_PUBLIC | ACC_STATIC));
        var lookup = MethodHandles.privateLookupIn(sun.nio.ch.IOUtil.class, MethodHandles.lookup());
        Class<?> bridge = lookup.defineClass(bytes);
        lookup.findStaticVarHandle(bridge, SOCKETS, Function.class).setVolatile(sockets);
    }
}
