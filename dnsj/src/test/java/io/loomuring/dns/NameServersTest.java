package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomuring.dns.LookupException.Reason;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;

/** Against servers that others have written. */
class NameServersTest {
    @TempDir Path folder;

    @Test
    void shouldResolveFromKnot() throws Exception {
        try (NameServer knot = NameServer.knot(folder)) {
            check(knot);
        }
    }

    @Test
    void shouldResolveFromUnbound() throws Exception {
        NameServer.program("unbound");
        try (NameServer knot = NameServer.knot(folder);
                NameServer unbound = NameServer.unbound(folder, knot)) {
            check(unbound);
        }
    }

    @Test
    void shouldResolveFromDnsmasq() throws Exception {
        NameServer.program("dnsmasq");
        try (NameServer knot = NameServer.knot(folder);
                NameServer dnsmasq = NameServer.dnsmasq(folder, knot)) {
            check(dnsmasq);
        }
    }

    private void check(NameServer server) throws LookupException {
        var files = new Fixture(folder, "nameserver 127.0.0.1\nsearch a.test b.test\n");
        for (boolean tcp : new boolean[] {false, true}) {
            for (boolean randomCase : new boolean[] {false, true}) {
                try (Dnsj dns =
                        files.builder(server.address.getPort())
                                .useTcp(tcp)
                                .randomCase(randomCase)
                                .build()) {
                    check(dns);
                    assertThat(dns.statistics().failures()).isZero();
                    assertThat(dns.statistics().rejected()).isZero();
                    assertThat(dns.statistics().truncated()).isEqualTo(tcp ? 0 : 1);
                }
            }
        }
    }

    private static void check(Dnsj dns) throws LookupException {
        assertThat(texts(dns.addresses("host.test")))
                .containsExactlyInAnyOrder("10.0.0.1", "fd00:0:0:0:0:0:0:1");
        assertThat(texts(dns.addresses("chain.test")))
                .containsExactlyInAnyOrder("10.0.0.1", "fd00:0:0:0:0:0:0:1");
        assertThat(texts(dns.addresses("anything.wild.test"))).containsExactly("10.0.2.1");
        assertThat(texts(dns.addresses("only"))).containsExactly("10.0.1.3");
        assertThat(texts(dns.addresses("b\u00fccher.test"))).containsExactly("10.0.0.7");
        assertThat(dns.addresses("big.test")).hasSize(300);
        assertThat(dns.lookup("_sip._tcp.test", Type.SRV))
                .singleElement()
                .isInstanceOfSatisfying(
                        SRVRecord.class, srv -> assertThat(srv.getPort()).isEqualTo(5060));
        assertThat(dns.lookup("text.test", Type.TXT))
                .singleElement()
                .isInstanceOfSatisfying(
                        TXTRecord.class,
                        txt -> assertThat(txt.getStrings()).containsExactly("hello there"));
        assertThat(dns.name(InetAddress.ofLiteral("10.0.0.1"))).isEqualTo("host.test");
        assertThat(reason(dns, "none.test.")).isEqualTo(Reason.NO_SUCH_NAME);
        assertThat(reason(dns, "text.test.")).isEqualTo(Reason.NO_RECORD);
        assertThat(reason(dns, "dangling.test.")).isEqualTo(Reason.NO_SUCH_NAME);
        long queries = dns.statistics().queries();
        assertThat(reason(dns, "none.test.")).isEqualTo(Reason.NO_SUCH_NAME);
        assertThat(reason(dns, "text.test.")).isEqualTo(Reason.NO_RECORD);
        assertThat(dns.addresses("host.test")).hasSize(2);
        assertThat(dns.statistics().queries()).as("from the cache").isEqualTo(queries);
    }

    private static List<String> texts(List<InetAddress> addresses) {
        return addresses.stream().map(InetAddress::getHostAddress).toList();
    }

    private static Reason reason(Dnsj dns, String name) {
        return catchThrowableOfType(LookupException.class, () -> dns.addresses(name)).reason();
    }
}
