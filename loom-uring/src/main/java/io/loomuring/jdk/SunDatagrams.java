package io.loomuring.jdk;

import static java.lang.invoke.MethodType.methodType;

import sun.net.ext.ExtendedSocketOptions;
import sun.nio.ch.IOStatus;
import sun.nio.ch.Net;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * As {@link SunNet}, what only datagram sockets need: binding without TCP's hooks, disconnecting,
 * multicast groups and interfaces, the hidden fields of {@code java.net}'s datagram classes.
 *
 * <p>Where {@code sun.nio.ch.Net} asks what the system can do, the answers are Linux's: an IPv6
 * socket takes the IPv6 level's options whatever it is bound to, and joins an IPv4 group by the
 * IPv4 level's.
 */
public final class SunDatagrams {
    private SunDatagrams() {}

    private static final MethodHandle SOCKET =
            SunNet.find(
                    Net.class, "socket", FileDescriptor.class, ProtocolFamily.class, boolean.class);
    private static final MethodHandle BIND =
            SunNet.find(
                    Net.class,
                    "bind",
                    void.class,
                    ProtocolFamily.class,
                    FileDescriptor.class,
                    InetAddress.class,
                    int.class);
    private static final MethodHandle DISCONNECT =
            SunNet.find(
                    SunNet.holder("sun.nio.ch.DatagramChannelImpl"),
                    "disconnect0",
                    void.class,
                    FileDescriptor.class,
                    boolean.class);
    private static final MethodHandle SET_INTERFACE4 =
            SunNet.find(Net.class, "setInterface4", void.class, FileDescriptor.class, int.class);
    private static final MethodHandle GET_INTERFACE4 =
            SunNet.find(Net.class, "getInterface4", int.class, FileDescriptor.class);
    private static final MethodHandle SET_INTERFACE6 =
            SunNet.find(Net.class, "setInterface6", void.class, FileDescriptor.class, int.class);
    private static final MethodHandle GET_INTERFACE6 =
            SunNet.find(Net.class, "getInterface6", int.class, FileDescriptor.class);

    private static final MethodHandle NEW_INTERFACE = newInterface();
    private static final SocketAddress NO_DELEGATE =
            SunNet.constant(DatagramSocket.class, "NO_DELEGATE", SocketAddress.class);
    private static final VarHandle PACKET_LENGTH = packetField("length");
    private static final VarHandle PACKET_ROOM = packetField("bufLength");

    /** A change of what a socket receives of a multicast group. */
    public enum Membership {
        JOIN("join", int.class),
        DROP("drop", void.class),
        BLOCK("block", int.class),
        UNBLOCK("unblock", void.class);

        private final MethodHandle inet4;
        private final MethodHandle inet6;

        Membership(String name, Class<?> returns) {
            inet4 =
                    returningInt(
                            SunNet.find(
                                    Net.class,
                                    name + '4',
                                    returns,
                                    FileDescriptor.class,
                                    int.class,
                                    int.class,
                                    int.class));
            inet6 =
                    returningInt(
                            SunNet.find(
                                    Net.class,
                                    name + '6',
                                    returns,
                                    FileDescriptor.class,
                                    byte[].class,
                                    int.class,
                                    byte[].class));
        }

        private static MethodHandle returningInt(MethodHandle handle) {
            return handle == null ? null : handle.asType(handle.type().changeReturnType(int.class));
        }

        /**
         * Makes the change.
         *
         * @param interf of an IPv4 group the interface's {@link #inet4Address}, else its index
         * @param source null for any
         * @return false if the system can't do it
         */
        public boolean change(FileDescriptor fd, InetAddress group, int interf, InetAddress source)
                throws IOException {
            int n;
            try {
                if (group instanceof Inet4Address) {
                    int from = source == null ? 0 : asInt(source);
                    n = (int) inet4.invokeExact(fd, asInt(group), interf, from);
                } else {
                    byte[] from = source == null ? null : source.getAddress();
                    n = (int) inet6.invokeExact(fd, group.getAddress(), interf, from);
                }
            } catch (Throwable e) {
                throw SunNet.thrown(e);
            }
            return n != IOStatus.UNAVAILABLE;
        }
    }

    private static MethodHandle newInterface() {
        try {
            return MethodHandles.privateLookupIn(NetworkInterface.class, MethodHandles.lookup())
                    .findConstructor(
                            NetworkInterface.class,
                            methodType(void.class, String.class, int.class, InetAddress[].class));
        } catch (ReflectiveOperationException e) {
            SunNet.missing("java.net.NetworkInterface(String,int,InetAddress[])");
            return null;
        }
    }

    private static VarHandle packetField(String name) {
        try {
            return MethodHandles.privateLookupIn(DatagramPacket.class, MethodHandles.lookup())
                    .findVarHandle(DatagramPacket.class, name, int.class);
        } catch (ReflectiveOperationException e) {
            SunNet.missing("java.net.DatagramPacket." + name);
            return null;
        }
    }

    /** Looks for everything that this class needs; {@link SunNet#check} tells what is missing. */
    static void findAll() {
        Membership.values();
    }

    // ---- sockets ----

    /** A datagram socket, which is not bound. */
    public static FileDescriptor socket(ProtocolFamily family) throws IOException {
        try {
            return SunNet.closedOnExec((FileDescriptor) SOCKET.invokeExact(family, false));
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    public static void bind(ProtocolFamily family, FileDescriptor fd, InetSocketAddress local)
            throws IOException {
        try {
            BIND.invokeExact(family, fd, local.getAddress(), local.getPort());
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    /** Lets a connected socket talk to everybody again; it may be bound to another port then. */
    public static void disconnect(FileDescriptor fd, boolean ipv6) throws IOException {
        try {
            DISCONNECT.invokeExact(fd, ipv6);
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    public static Set<SocketOption<?>> extendedOptions() {
        return ExtendedSocketOptions.datagramSocketOptions();
    }

    // ---- multicast ----

    /**
     * The IPv4 address that stands for an interface, as an int.
     *
     * @throws IOException if it has none
     */
    public static int inet4Address(NetworkInterface interf) throws IOException {
        Inet4Address address = inet4AddressOrNull(interf);
        if (address == null) {
            throw new IOException("Network interface not configured for IPv4");
        }
        return asInt(address);
    }

    private static Inet4Address inet4AddressOrNull(NetworkInterface interf) {
        return interf.inetAddresses()
                .filter(Inet4Address.class::isInstance)
                .map(Inet4Address.class::cast)
                .findFirst()
                .orElse(null);
    }

    /**
     * The index of an interface.
     *
     * @throws IOException if it has none
     */
    public static int index(NetworkInterface interf) throws IOException {
        int index = interf.getIndex();
        if (index == -1) {
            throw new IOException("Network interface cannot be identified");
        }
        return index;
    }

    private static int asInt(InetAddress inet4) {
        return ByteBuffer.wrap(inet4.getAddress()).getInt();
    }

    private static InetAddress fromInt(int inet4) throws UnknownHostException {
        return InetAddress.getByAddress(ByteBuffer.allocate(Integer.BYTES).putInt(inet4).array());
    }

    /** Sets where multicast datagrams leave; those of IPv4 on an IPv6 socket if that can be. */
    public static void setInterface(FileDescriptor fd, boolean ipv6, NetworkInterface interf)
            throws IOException {
        try {
            if (!ipv6) {
                SET_INTERFACE4.invokeExact(fd, inet4Address(interf));
                return;
            }
            SET_INTERFACE6.invokeExact(fd, index(interf));
            Inet4Address address = inet4AddressOrNull(interf);
            if (address != null) {
                try {
                    SET_INTERFACE4.invokeExact(fd, asInt(address));
                } catch (IOException e) {
                    // IPv6 is what it was asked for
                }
            }
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    /** Where multicast datagrams leave; null if the system chooses. */
    public static NetworkInterface getInterface(FileDescriptor fd, boolean ipv6)
            throws IOException {
        NetworkInterface interf;
        try {
            if (ipv6) {
                int index = (int) GET_INTERFACE6.invokeExact(fd);
                if (index == 0) {
                    return null;
                }
                interf = NetworkInterface.getByIndex(index);
            } else {
                int address = (int) GET_INTERFACE4.invokeExact(fd);
                if (address == 0) {
                    return null;
                }
                interf = NetworkInterface.getByInetAddress(fromInt(address));
            }
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
        if (interf == null) {
            throw new IOException(
                    ipv6
                            ? "Unable to map index to interface"
                            : "Unable to map address to interface");
        }
        return interf;
    }

    /** What stands for "any interface" where {@code java.net} wants a {@code NetworkInterface}. */
    public static NetworkInterface anyInterface(InetAddress anyLocal) {
        try {
            return (NetworkInterface)
                    NEW_INTERFACE.invokeExact(
                            anyLocal.getHostName(), 0, new InetAddress[] {anyLocal});
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    // ---- java.net's classes ----

    /** What the superclass of a {@code MulticastSocket} that overrides everything is given. */
    public static SocketAddress noDelegate() {
        return NO_DELEGATE;
    }

    /** Bytes that a packet has room for; its length may be less. */
    public static int room(DatagramPacket packet) {
        return (int) PACKET_ROOM.get(packet);
    }

    /** Sets a packet's length and leaves its room as it is. */
    public static void setLength(DatagramPacket packet, int length) {
        PACKET_LENGTH.set(packet, length);
    }
}
