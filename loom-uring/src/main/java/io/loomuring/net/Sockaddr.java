package io.loomuring.net;

import static io.loomuring.abi.SocketAbi.*;

import io.loomuring.abi.Memory;
import io.loomuring.jdk.SunNet;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.Charset;

/**
 * {@code struct sockaddr} in native memory, to and from {@link SocketAddress}, by the JDK's rules:
 * an IPv4-mapped IPv6 address is an {@link Inet4Address}, an IPv6 address has a scope only if it
 * came with one, a Unix domain address without a path is the empty path.
 */
final class Sockaddr {
    private Sockaddr() {}

    /** Bytes that hold any address. */
    static final int SIZE = SIZEOF_SOCKADDR_STORAGE;

    /** As in the JDK, where the path's last byte stays a NUL. */
    private static final int UNIX_PATH_MAX = SIZEOF_SOCKADDR_UN - SOCKADDR_UN_PATH - 2;

    private static final int MAPPED_PREFIX = 12; // of an IPv4-mapped address: ::ffff:0:0/96

    /** Reads what the kernel wrote; {@code length} is what it said the address takes. */
    static SocketAddress get(long address, int length) {
        int family = Memory.getShort(address) & 0xffff;
        return switch (family) {
            case AF_INET -> inet4(address);
            case AF_INET6 -> inet6(address);
            case AF_UNIX -> unix(address, length);
            default -> throw new AssertionError("address family " + family);
        };
    }

    private static InetSocketAddress inet4(long address) {
        byte[] bytes = bytes(address + SOCKADDR_IN_ADDR, 4);
        return new InetSocketAddress(inetAddress(bytes), port(address + SOCKADDR_IN_PORT));
    }

    private static InetSocketAddress inet6(long address) {
        byte[] bytes = bytes(address + SOCKADDR_IN6_ADDR, 16);
        int scope = Memory.getInt(address + SOCKADDR_IN6_SCOPE_ID);
        InetAddress host = inetAddress(bytes);
        if (scope > 0 && host instanceof Inet6Address) {
            host = scoped(bytes, scope);
        }
        return new InetSocketAddress(host, port(address + SOCKADDR_IN6_PORT));
    }

    private static UnixDomainSocketAddress unix(long address, int length) {
        int size = Math.min(length, SIZEOF_SOCKADDR_UN) - SOCKADDR_UN_PATH;
        int used = 0; // an abstract name starts with a NUL, so that it reads as unnamed
        while (used < size && Memory.getByte(address + SOCKADDR_UN_PATH + used) != 0) {
            used++;
        }
        return used == 0
                ? SunNet.unnamed()
                : UnixDomainSocketAddress.of(
                        new String(
                                bytes(address + SOCKADDR_UN_PATH, used), Charset.defaultCharset()));
    }

    private static InetAddress inetAddress(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // only for another number of bytes
        }
    }

    private static InetAddress scoped(byte[] bytes, int scope) {
        try {
            return Inet6Address.getByAddress(null, bytes, scope);
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // only for another number of bytes
        }
    }

    /** Port, in network order. */
    private static int port(long address) {
        return (Memory.getByte(address) & 0xff) << 8 | (Memory.getByte(address + 1) & 0xff);
    }

    private static byte[] bytes(long address, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = Memory.getByte(address + i);
        }
        return bytes;
    }

    /**
     * Writes an address for a socket of a family and returns its length. {@link #SIZE} bytes at
     * {@code address} are zero before.
     *
     * @param ipv6 whether an IP socket is of {@code AF_INET6}, which takes IPv4 addresses mapped
     * @throws SocketException if a path is too long
     */
    static int put(long address, SocketAddress remote, boolean ipv6) throws SocketException {
        if (remote instanceof UnixDomainSocketAddress unix) {
            return putUnix(address, unix);
        }
        var inet = (InetSocketAddress) remote;
        InetAddress host = SunNet.scoped(inet.getAddress());
        return ipv6
                ? putInet6(address, host, inet.getPort())
                : putInet4(address, host, inet.getPort());
    }

    private static int putInet4(long address, InetAddress host, int port) {
        Memory.putShort(address, (short) AF_INET);
        putPort(address + SOCKADDR_IN_PORT, port);
        putBytes(address + SOCKADDR_IN_ADDR, host.getAddress());
        return SIZEOF_SOCKADDR_IN;
    }

    private static int putInet6(long address, InetAddress host, int port) {
        Memory.putShort(address, (short) AF_INET6);
        putPort(address + SOCKADDR_IN6_PORT, port);
        if (host instanceof Inet4Address) {
            Memory.putShort(address + SOCKADDR_IN6_ADDR + MAPPED_PREFIX - 2, (short) 0xffff);
            putBytes(address + SOCKADDR_IN6_ADDR + MAPPED_PREFIX, host.getAddress());
        } else {
            putBytes(address + SOCKADDR_IN6_ADDR, host.getAddress());
            Memory.putInt(address + SOCKADDR_IN6_SCOPE_ID, ((Inet6Address) host).getScopeId());
        }
        return SIZEOF_SOCKADDR_IN6;
    }

    private static int putUnix(long address, UnixDomainSocketAddress remote)
            throws SocketException {
        byte[] path = SunNet.pathBytes(remote.getPath());
        if (path.length > UNIX_PATH_MAX) {
            throw new SocketException("Unix domain path too long");
        }
        Memory.putShort(address, (short) AF_UNIX);
        putBytes(address + SOCKADDR_UN_PATH, path);
        return SOCKADDR_UN_PATH + path.length + 1;
    }

    private static void putPort(long address, int port) {
        Memory.putByte(address, (byte) (port >> 8));
        Memory.putByte(address + 1, (byte) port);
    }

    private static void putBytes(long address, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            Memory.putByte(address + i, bytes[i]);
        }
    }
}
