package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.dns.AddressOrder.Destination;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.InetAddress;
import java.util.List;

/** RFC 6724, with the examples of its section 10.2. */
class AddressOrderTest {
    private static Destination destination(String address, String source) {
        return new Destination(
                InetAddress.ofLiteral(address),
                source.equals("none") ? null : InetAddress.ofLiteral(source),
                24);
    }

    @ParameterizedTest(name = "{0} from {1} before {2} from {3}")
    @CsvSource({
        // prefer matching scope
        "2001:db8:1::1, 2001:db8:1::2, 198.51.100.121, 169.254.13.78",
        "198.51.100.121, 198.51.100.117, 2001:db8:1::1, fe80::1",
        // prefer higher precedence
        "2001:db8:1::1, 2001:db8:1::2, 10.1.2.3, 10.1.2.4",
        // prefer smaller scope
        "fe80::1, fe80::2, 2001:db8:1::1, 2001:db8:1::2",
        // prefer matching label
        "2001:db8:1::1, 2001:db8:1::2, 2002:c633:6401::1, 2001:db8:1::2",
        "2002:c633:6401::1, 2002:c633:6401::2, 2001:db8:1::1, 2002:c633:6401::2",
        // IPv4 before unique local addresses' precedence
        "10.1.2.3, 10.1.2.4, fd00::1, fd00::2",
        // avoid unusable destinations
        "10.1.2.3, 10.1.2.4, 2001:db8:1::1, none",
        // use the longest matching prefix
        "2001:db8:1::1, 2001:db8:1::2, 2001:db8:3ffe::1, 2001:db8:3f44::2",
        "10.1.2.5, 10.1.2.4, 10.1.2.200, 10.1.2.4"
    })
    void shouldPreferTheFirst(
            String first, String firstSource, String second, String secondSource) {
        Destination a = destination(first, firstSource);
        Destination b = destination(second, secondSource);
        assertThat(AddressOrder.sorted(List.of(a, b))).containsExactly(a.address(), b.address());
        assertThat(AddressOrder.sorted(List.of(b, a))).containsExactly(a.address(), b.address());
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.1, 10.1.2.4, 10.8.0.1, 10.1.2.4", // no common subnet: no prefix counts
        "10.9.0.1, none, 10.8.0.1, none"
    })
    void shouldLeaveTheOrderWhenNoRuleDecides(
            String first, String firstSource, String second, String secondSource) {
        Destination a = destination(first, firstSource);
        Destination b = destination(second, secondSource);
        assertThat(AddressOrder.sorted(List.of(a, b))).containsExactly(a.address(), b.address());
        assertThat(AddressOrder.sorted(List.of(b, a))).containsExactly(b.address(), a.address());
    }

    @ParameterizedTest
    @CsvSource({"::1, 127.0.0.1"})
    void shouldAskTheKernelForSources(String first, String second) {
        var a = InetAddress.ofLiteral(first);
        var b = InetAddress.ofLiteral(second);
        assertThat(AddressOrder.sort(List.of(b, a))).containsExactly(a, b);
    }
}
