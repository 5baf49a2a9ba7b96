package io.loomuring.dns;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The order in which addresses should be tried: RFC 6724, section 6, with its default policy table,
 * as glibc's getaddrinfo applies it. Rules 3, 4 and 7 need what only the kernel knows, and are left
 * out; rule 9 counts for IPv4 only within the source's own subnet.
 */
final class AddressOrder {
    private AddressOrder() {}

    /** Where the kernel is asked for a route to; nothing is sent there. */
    private static final int ANY_PORT = 53;

    private static final int PREFIX_IPV4 = 96; // of ::ffff:0:0/96

    /**
     * A line of the policy table.
     *
     * @param bits of the prefix that count
     */
    private record Policy(InetAddress prefix, int bits, int precedence, int label) {}

    // RFC 6724, section 2.1; longer prefixes first
    private static final List<Policy> POLICIES =
            List.of(
                    policy("::1", 128, 50, 0),
                    policy("::ffff:0:0", PREFIX_IPV4, 35, 4),
                    policy("::", 96, 1, 3),
                    policy("2001::", 32, 5, 5),
                    policy("2002::", 16, 30, 2),
                    policy("3ffe::", 16, 1, 12),
                    policy("fec0::", 10, 1, 11),
                    policy("fc00::", 7, 3, 13),
                    policy("::", 0, 40, 1));

    /**
     * An address to reach, and the address that the kernel would send from.
     *
     * @param source null: there is no way to it
     */
    record Destination(InetAddress address, InetAddress source, int sourcePrefix) {}

    static List<InetAddress> sort(List<InetAddress> addresses) {
        if (addresses.size() < 2) {
            return addresses;
        }
        var destinations = new ArrayList<Destination>(addresses.size());
        // what an interface's prefix is costs a walk through all interfaces
        boolean prefixes = addresses.stream().filter(AddressOrder::isIpv4).count() > 1;
        for (InetAddress address : addresses) {
            destinations.add(destination(address, prefixes));
        }
        return sorted(destinations);
    }

    static List<InetAddress> sorted(List<Destination> destinations) {
        return destinations.stream()
                .sorted(Comparator.comparing(d -> d, AddressOrder::compare))
                .map(Destination::address)
                .toList();
    }

    private static Destination destination(InetAddress address, boolean prefixes) {
        try (var socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(address, ANY_PORT));
            InetAddress source = socket.getLocalAddress();
            boolean sameFamily = source.getAddress().length == address.getAddress().length;
            if (sameFamily && !source.isAnyLocalAddress()) {
                int prefix = prefixes && isIpv4(source) ? prefix(source) : 0;
                return new Destination(address, source, prefix);
            }
        } catch (IOException | UncheckedIOException e) {
            // no way there
        }
        return new Destination(address, null, 0);
    }

    private static int prefix(InetAddress address) throws IOException {
        NetworkInterface device = NetworkInterface.getByInetAddress(address);
        if (device != null) {
            for (InterfaceAddress own : device.getInterfaceAddresses()) {
                if (own.getAddress().equals(address)) {
                    return own.getNetworkPrefixLength();
                }
            }
        }
        return 0;
    }

    private static int compare(Destination a, Destination b) {
        // Rule 1: avoid unusable destinations
        if (a.source == null || b.source == null) {
            int usable = Boolean.compare(a.source == null, b.source == null);
            return usable != 0 ? usable : byPolicy(a.address, b.address);
        }
        // Rule 2: prefer matching scope
        int byRule =
                Boolean.compare(
                        scope(a.address) != scope(a.source), scope(b.address) != scope(b.source));
        if (byRule == 0) {
            // Rule 5: prefer matching label
            byRule =
                    Boolean.compare(
                            policy(a.address).label != policy(a.source).label,
                            policy(b.address).label != policy(b.source).label);
        }
        if (byRule == 0) {
            byRule = byPolicy(a.address, b.address);
        }
        if (byRule == 0 && isIpv4(a.address) == isIpv4(b.address)) {
            // Rule 9: use the longest matching prefix
            byRule = Integer.compare(matchingBits(b), matchingBits(a));
        }
        return byRule; // Rule 10: otherwise, leave the order unchanged
    }

    /** Rule 6: prefer higher precedence; rule 8: prefer smaller scope. */
    private static int byPolicy(InetAddress a, InetAddress b) {
        int byPrecedence = Integer.compare(policy(b).precedence, policy(a).precedence);
        return byPrecedence != 0 ? byPrecedence : Integer.compare(scope(a), scope(b));
    }

    private static int matchingBits(Destination destination) {
        int common = commonBits(mapped(destination.address), mapped(destination.source));
        if (isIpv4(destination.address)) {
            common -= PREFIX_IPV4;
            return common >= destination.sourcePrefix ? common : 0;
        }
        return common;
    }

    // ---- properties of addresses ----

    private static final int LINK_LOCAL = 2;
    private static final int SITE_LOCAL = 5;
    private static final int GLOBAL = 14;

    /** RFC 6724, sections 3.1 and 3.2; of a loopback address, link-local. */
    private static int scope(InetAddress address) {
        if (address.isMulticastAddress() && address instanceof Inet6Address) {
            return address.getAddress()[1] & 0xf;
        }
        if (address.isLoopbackAddress() || address.isLinkLocalAddress()) {
            return LINK_LOCAL;
        }
        return address.isSiteLocalAddress() && address instanceof Inet6Address
                ? SITE_LOCAL
                : GLOBAL;
    }

    private static boolean isIpv4(InetAddress address) {
        return address instanceof Inet4Address;
    }

    private static Policy policy(InetAddress address) {
        byte[] bytes = mapped(address);
        for (Policy policy : POLICIES) {
            if (commonBits(bytes, mapped(policy.prefix)) >= policy.bits) {
                return policy;
            }
        }
        throw new AssertionError("the last one fits all");
    }

    private static Policy policy(String prefix, int bits, int precedence, int label) {
        return new Policy(InetAddress.ofLiteral(prefix), bits, precedence, label);
    }

    /** As IPv6, an IPv4 address mapped. */
    private static byte[] mapped(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 16) {
            return bytes;
        }
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        System.arraycopy(bytes, 0, mapped, 12, 4);
        return mapped;
    }

    private static int commonBits(byte[] a, byte[] b) {
        int bits = 0;
        for (int i = 0; i < a.length; i++) {
            int difference = (a[i] ^ b[i]) & 0xff;
            if (difference != 0) {
                return bits + Integer.numberOfLeadingZeros(difference) - 24;
            }
            bits += 8;
        }
        return bits;
    }
}
