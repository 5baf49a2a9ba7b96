package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.util.List;

/** hosts(5). */
class HostsFileTest {
    private static List<String> addresses(String text, String name) {
        return HostsFile.parse(text).addressesOf(name).stream()
                .map(InetAddress::getHostAddress)
                .toList();
    }

    @Test
    void shouldFindEachNameOfALineInAnyCase() {
        String text = "10.0.0.1\tOne.test one  uno # eins\n";
        assertThat(addresses(text, "one.TEST")).containsExactly("10.0.0.1");
        assertThat(addresses(text, "uno")).containsExactly("10.0.0.1");
        assertThat(addresses(text, "eins")).isEmpty();
    }

    @Test
    void shouldGatherAddressesOfSeveralLines() {
        assertThat(addresses("10.0.0.1 a\n::1 a\n10.0.0.1 a b\n", "a"))
                .containsExactly("10.0.0.1", "0:0:0:0:0:0:0:1");
    }

    @Test
    void shouldTakeScopesOfInterfacesThatThereAre() {
        assertThat(addresses("fe80::1%lo a\n", "a").getFirst()).endsWith("%1");
        assertThat(HostsFile.parse("fe80::1%nosuch0 a\n").notes()).hasSize(1);
    }

    @Test
    void shouldSkipLinesWithoutAddressOrName() {
        HostsFile hosts = HostsFile.parse("one two\n127.1 short\n10.0.0.9\n\n   \n#\n10.0.0.1 a");
        assertThat(hosts.addresses()).containsOnlyKeys("a");
        assertThat(hosts.notes()).hasSize(2);
    }

    @Test
    void shouldNameAnAddressByItsFirstName() {
        HostsFile hosts = HostsFile.parse("10.0.0.1 a b\n10.0.0.1 c\n");
        assertThat(hosts.names()).containsEntry(InetAddress.ofLiteral("10.0.0.1"), "a");
    }

    @Test
    void shouldBeEmptyWhenThereIsNoFile() {
        assertThat(HostsFile.parse(null)).isSameAs(HostsFile.EMPTY);
    }
}
