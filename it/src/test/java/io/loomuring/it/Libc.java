package io.loomuring.it;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * System calls that tests make past the JDK and past loom-uring: sockets by number, whose state no
 * library keeps. Results are {@code >= 0} or {@code -errno}; those without a result throw.
 */
@SuppressWarnings("restricted") // the tests need descriptors, and the JVM enables native access
final class Libc {
    private Libc() {}

    static final int MSG_PEEK = 2;
    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int EAGAIN = 11;
    static final int SHUT_WR = 1;

    private static final int AF_UNIX = 1;
    private static final int AF_INET = 2;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUF = 8;
    private static final int SIZEOF_SOCKADDR_IN = 16;
    private static final int BACKLOG = 1024;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final VarHandle ERRNO_VALUE =
            Linker.Option.captureStateLayout()
                    .varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> ERRNO_STATE =
            ThreadLocal.withInitial(
                    () -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

    private static final MethodHandle SOCKETPAIR = function("socketpair", "iiip");
    private static final MethodHandle SOCKET = function("socket", "iii");
    private static final MethodHandle BIND = function("bind", "ipi");
    private static final MethodHandle LISTEN = function("listen", "ii");
    private static final MethodHandle CONNECT = function("connect", "ipi");
    private static final MethodHandle ACCEPT = function("accept4", "ippi");
    private static final MethodHandle GETSOCKNAME = function("getsockname", "ipp");
    private static final MethodHandle SETSOCKOPT = function("setsockopt", "iiipi");
    private static final MethodHandle SHUTDOWN = function("shutdown", "ii");
    private static final MethodHandle SEND = function("send", "ipli");
    private static final MethodHandle RECV = function("recv", "ipli");
    private static final MethodHandle CLOSE = function("close", "i");

    /** One letter a parameter: int, long, pointer. All results are taken as long. */
    private static MethodHandle function(String name, String parameters) {
        MemoryLayout[] layouts =
                parameters
                        .chars()
                        .mapToObj(letter ->
                                switch (letter) {
                                    case 'i' -> ValueLayout.JAVA_INT;
                                    case 'l' -> ValueLayout.JAVA_LONG;
                                    default -> ValueLayout.ADDRESS;
                                })
                        .toArray(MemoryLayout[]::new);
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(
                        name.equals("send") || name.equals("recv")
                                ? ValueLayout.JAVA_LONG
                                : ValueLayout.JAVA_INT,
                        layouts),
                ERRNO);
    }

    private static int call(MethodHandle function, Object... arguments) {
        MemorySegment state = ERRNO_STATE.get();
        var all = new Object[arguments.length + 1];
        all[0] = state;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        try {
            int result = ((Number) function.invokeWithArguments(all)).intValue();
            return result >= 0 ? result : -(int) ERRNO_VALUE.get(state, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int check(String what, int result) {
        if (result < 0) {
            throw new IllegalStateException(what + ": errno " + -result);
        }
        return result;
    }

    /** Two connected Unix domain stream sockets. */
    static int[] unixPair() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
            check("socketpair", call(SOCKETPAIR, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
            return pair.toArray(ValueLayout.JAVA_INT);
        }
    }

    /** Two connected TCP sockets on 127.0.0.1. */
    static int[] tcpPair() {
        try (Arena arena = Arena.ofConfined()) {
            int listener = socket(AF_INET);
            try {
                MemorySegment address = arena.allocate(SIZEOF_SOCKADDR_IN, Long.BYTES);
                address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
                address.set(ValueLayout.JAVA_INT, 4, 0x0100007f); // 127.0.0.1, port 0
                check("bind", call(BIND, listener, address, SIZEOF_SOCKADDR_IN));
                check("listen", call(LISTEN, listener, 1));
                MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, SIZEOF_SOCKADDR_IN);
                check("getsockname", call(GETSOCKNAME, listener, address, length));
                int client = socket(AF_INET);
                check("connect", call(CONNECT, client, address, SIZEOF_SOCKADDR_IN));
                MemorySegment none = MemorySegment.NULL;
                int server = check("accept", call(ACCEPT, listener, none, none, SOCK_CLOEXEC));
                return new int[] {server, client};
            } finally {
                close(listener);
            }
        }
    }

    private static int socket(int family) {
        return check("socket", call(SOCKET, family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }

    /** A listening Unix domain socket in the abstract name space. */
    static int unixListener(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = abstractAddress(arena, name);
            int fd = socket(AF_UNIX);
            check("bind", call(BIND, fd, address, (int) address.byteSize()));
            check("listen", call(LISTEN, fd, BACKLOG));
            return fd;
        }
    }

    /** A connection to it: a descriptor or {@code -errno}. */
    static int unixConnect(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = abstractAddress(arena, name);
            int fd = socket(AF_UNIX);
            int result = call(CONNECT, fd, address, (int) address.byteSize());
            if (result < 0) {
                close(fd);
                return result;
            }
            return fd;
        }
    }

    private static MemorySegment abstractAddress(Arena arena, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        MemorySegment address = arena.allocate(3L + bytes.length, Short.BYTES);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, 3, bytes.length);
        return address;
    }

    /** Makes the queues of a connection's direction as short as the kernel lets them be. */
    static void shortenQueues(int sender, int receiver) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocateFrom(ValueLayout.JAVA_INT, 4096);
            check("setsockopt", call(SETSOCKOPT, sender, SOL_SOCKET, SO_SNDBUF, size, 4));
            check("setsockopt", call(SETSOCKOPT, receiver, SOL_SOCKET, SO_RCVBUF, size, 4));
        }
    }

    static void shutdownOutput(int fd) {
        check("shutdown", call(SHUTDOWN, fd, SHUT_WR));
    }

    static int send(int fd, MemorySegment data, int flags) {
        MemorySegment state = ERRNO_STATE.get();
        try {
            long n =
                    (long) SEND.invokeExact(state, fd, data, data.byteSize(), flags | MSG_NOSIGNAL);
            return n >= 0 ? (int) n : -(int) ERRNO_VALUE.get(state, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int recv(int fd, MemorySegment data, int flags) {
        MemorySegment state = ERRNO_STATE.get();
        try {
            long n = (long) RECV.invokeExact(state, fd, data, data.byteSize(), flags);
            return n >= 0 ? (int) n : -(int) ERRNO_VALUE.get(state, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Throws if somebody else has closed it. */
    static void close(int fd) {
        check("close " + fd, call(CLOSE, fd));
    }
}
