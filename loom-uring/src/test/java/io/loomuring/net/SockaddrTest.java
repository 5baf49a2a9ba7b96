package io.loomuring.net;

import static io.loomuring.abi.SocketAbi.*;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Memory;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;

/** Addresses in native memory. */
@Timeout(60) // seconds a test; interrupts it
class SockaddrTest {
    private final MemorySegment segment = Arena.ofAuto().allocate(Sockaddr.SIZE, Long.BYTES);
    private final long memory = segment.address();

    @BeforeAll
    static void install() {
        Provider.OURS.get();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "1.2.3.4", "255.255.255.255"})
    void shouldKeepIPv4Addresses(String literal) throws Exception {
        var address = new InetSocketAddress(InetAddress.ofLiteral(literal), 54_321);
        assertThat(Sockaddr.put(memory, address, false)).isEqualTo(SIZEOF_SOCKADDR_IN);
        assertThat(Memory.getShort(memory)).isEqualTo((short) AF_INET);
        assertThat(Sockaddr.get(memory, SIZEOF_SOCKADDR_IN)).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(strings = {"::1", "2001:db8::7", "ff02::1"})
    void shouldKeepIPv6Addresses(String literal) throws Exception {
        var address = new InetSocketAddress(InetAddress.ofLiteral(literal), 65_535);
        assertThat(Sockaddr.put(memory, address, true)).isEqualTo(SIZEOF_SOCKADDR_IN6);
        assertThat(Memory.getShort(memory)).isEqualTo((short) AF_INET6);
        SocketAddress read = Sockaddr.get(memory, SIZEOF_SOCKADDR_IN6);
        assertThat(read).isEqualTo(address).hasToString(address.toString());
    }

    @Test
    void shouldMapIPv4AddressesForIPv6Sockets() throws Exception {
        var address = new InetSocketAddress(InetAddress.ofLiteral("10.0.0.7"), 80);
        assertThat(Sockaddr.put(memory, address, true)).isEqualTo(SIZEOF_SOCKADDR_IN6);
        assertThat(Memory.getShort(memory)).isEqualTo((short) AF_INET6);
        var read = (InetSocketAddress) Sockaddr.get(memory, SIZEOF_SOCKADDR_IN6);
        assertThat(read).isEqualTo(address);
        assertThat(read.getAddress()).isInstanceOf(Inet4Address.class);
    }

    @Test
    void shouldKeepScopes() throws Exception {
        byte[] bytes = InetAddress.ofLiteral("2001:db8::9").getAddress();
        var scoped = Inet6Address.getByAddress(null, bytes, 7);
        Sockaddr.put(memory, new InetSocketAddress(scoped, 1), true);
        var read = (InetSocketAddress) Sockaddr.get(memory, SIZEOF_SOCKADDR_IN6);
        assertThat(((Inet6Address) read.getAddress()).getScopeId()).isEqualTo(7);
        assertThat(read.toString()).contains("%7");
    }

    @Test
    void shouldKeepUnixPaths() throws Exception {
        var address = UnixDomainSocketAddress.of("/tmp/a file");
        int length = Sockaddr.put(memory, address, true);
        assertThat(length).isEqualTo(2 + "/tmp/a file".length() + 1);
        assertThat(Sockaddr.get(memory, length)).isEqualTo(address);
        assertThat(Sockaddr.get(memory, length - 1)).as("no NUL").isEqualTo(address);
    }

    @Test
    void shouldReadUnnamedAndAbstractUnixAddressesAsUnnamed() {
        Memory.putShort(memory, (short) AF_UNIX);
        assertThat(Sockaddr.get(memory, 2)).isEqualTo(UnixDomainSocketAddress.of(""));
        Memory.putByte(memory + 3, (byte) 'x'); // abstract: starts with a NUL
        assertThat(Sockaddr.get(memory, 4)).isEqualTo(UnixDomainSocketAddress.of(""));
    }

    @Test
    void shouldRejectUnixPathsThatDontFit() throws Exception {
        var longest = UnixDomainSocketAddress.of("x".repeat(106));
        assertThat(Sockaddr.get(memory, Sockaddr.put(memory, longest, true))).isEqualTo(longest);
        assertThatThrownBy(() ->
                        Sockaddr.put(memory, UnixDomainSocketAddress.of("x".repeat(107)), true))
                .isExactlyInstanceOf(SocketException.class)
                .hasMessage("Unix domain path too long");
    }
}
