package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;

/** resolv.conf(5) as glibc reads it. */
class ResolvConfTest {
    private static ResolvConf parse(String text) {
        return ResolvConf.parse(text, null, null, "host", 53);
    }

    private static java.util.List<String> servers(String text) {
        return parse(text).servers().stream().map(s -> s.getAddress().getHostAddress()).toList();
    }

    @Test
    void shouldAskThisMachineWhenNoServerIsNamed() {
        assertThat(servers("")).containsExactly("127.0.0.1");
        assertThat(parse(null).servers().getFirst().getPort()).isEqualTo(53);
    }

    @Test
    void shouldTakeThreeServersWhenThereAreMore() {
        assertThat(
                        servers(
                                """
                                nameserver 10.0.0.1
                                nameserver\t 10.0.0.2 # two
                                nameserver ::1
                                nameserver 10.0.0.4
                                """))
                .containsExactly("10.0.0.1", "10.0.0.2", "0:0:0:0:0:0:0:1");
        assertThat(parse("nameserver 1.1.1.1\n".repeat(4)).notes()).hasSize(1);
    }

    @Test
    void shouldSkipServersThatAreNoAddresses() {
        ResolvConf conf = parse("nameserver ns.example.org\nnameserver 10.0.0.2\n");
        assertThat(conf.servers()).hasSize(1);
        assertThat(conf.notes()).singleElement().asString().contains("ns.example.org");
    }

    @Test
    void shouldTakeShorterFormsOfAddressesAsInetAton() {
        assertThat(servers("nameserver 127.1\n")).containsExactly("127.0.0.1");
    }

    @Test
    void shouldHaveScopeWhenServerIsLinkLocal() {
        assertThat(servers("nameserver fe80::1%lo\n").getFirst()).endsWith("%1");
    }

    @Test
    void shouldSkipCommentsAndIndentedLines() {
        assertThat(servers("#nameserver 1.1.1.1\n;nameserver 1.1.1.2\n nameserver 1.1.1.3\n"))
                .containsExactly("127.0.0.1");
    }

    @Test
    void shouldUseTheLastOfDomainAndSearch() {
        assertThat(parse("domain a.test\nsearch b.test c.test\n").search())
                .containsExactly("b.test", "c.test");
        assertThat(parse("search b.test c.test\ndomain a.test d.test\n").search())
                .containsExactly("a.test");
    }

    @Test
    void shouldTakeDomainOfHostNameWhenNoneIsNamed() {
        assertThat(ResolvConf.parse("", null, null, "host.here.test", 53).search())
                .containsExactly("here.test");
        assertThat(parse("").search()).isEmpty();
    }

    @Test
    void shouldPreferLocalDomainOfEnvironment() {
        ResolvConf conf =
                ResolvConf.parse("search a.test\n", "b.test c.test", null, "host.d.test", 53);
        assertThat(conf.search()).containsExactly("b.test", "c.test");
    }

    @Test
    void shouldAddOptionsOfEnvironmentAfterThoseOfTheFile() {
        ResolvConf conf =
                ResolvConf.parse("options ndots:2 timeout:7\n", null, "ndots:4 rotate", "h", 53);
        assertThat(conf.ndots()).isEqualTo(4);
        assertThat(conf.rotate()).isTrue();
        assertThat(conf.timeout()).isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void shouldReadEachOption() {
        ResolvConf conf =
                parse(
                        "options ndots:3 timeout:1\toptions attempts:4 rotate use-vc edns0 trust-ad"
                                + " single-request no-aaaa no-tld-query no-reload\n");
        assertThat(conf.ndots()).isEqualTo(3);
        assertThat(conf.timeout()).isEqualTo(Duration.ofSeconds(1));
        assertThat(conf.attempts()).isEqualTo(4);
        assertThat(conf.rotate()).isTrue();
        assertThat(conf.useTcp()).isTrue();
        assertThat(conf.trustAd()).isTrue();
        assertThat(conf.singleRequest()).isTrue();
        assertThat(conf.noAaaa()).isTrue();
        assertThat(conf.noTldQuery()).isTrue();
        assertThat(conf.noReload()).isTrue();
        assertThat(conf.notes()).containsExactly("resolv.conf: skipped option options");
    }

    @ParameterizedTest
    @CsvSource({
        "ndots:99, 15, 5, 2",
        "ndots:x, 0, 5, 2",
        "timeout:99, 1, 30, 2",
        "timeout:0, 1, 1, 2",
        "attempts:99, 1, 5, 5",
        "attempts:0, 1, 5, 1",
        "ndots:99999999999, 15, 5, 2"
    })
    void shouldBoundNumbers(String option, int ndots, int timeoutSeconds, int attempts) {
        ResolvConf conf = parse("options " + option + '\n');
        assertThat(conf.ndots()).isEqualTo(ndots);
        assertThat(conf.timeout()).isEqualTo(Duration.ofSeconds(timeoutSeconds));
        assertThat(conf.attempts()).isEqualTo(attempts);
    }

    @Test
    void shouldGiveLaterServersTheirShareOfTime() {
        ResolvConf conf = parse("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n");
        assertThat(conf.timeout(0)).isEqualTo(Duration.ofSeconds(5));
        assertThat(conf.timeout(1)).isEqualTo(Duration.ofSeconds(10).dividedBy(3));
        assertThat(conf.timeout(2)).isEqualTo(Duration.ofSeconds(20).dividedBy(3));
    }
}
