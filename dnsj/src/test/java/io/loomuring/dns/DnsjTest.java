package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomuring.dns.LookupException.Reason;
import io.loomuring.dns.ScriptedServer.Asked;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Flags;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.spi.InetAddressResolver.LookupPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Look-ups against a server that does as it is told. */
class DnsjTest {
    private static final String[] ZONE = {
        "host.test. 60 A 10.0.0.1",
        "host.test. 60 AAAA fd00::1",
        "four.test. 60 A 10.0.0.4",
        "six.test. 60 AAAA fd00::6",
        "xn--bcher-kva.test. 60 A 10.0.0.7",
        "short.a.test. 60 A 10.0.1.1",
        "short.b.test. 60 A 10.0.1.2",
        "only.b.test. 60 A 10.0.1.3",
        "x.y.a.test. 60 A 10.0.1.4",
        "x.y. 60 A 10.0.1.5",
        "mail.test. 60 MX 10 mx.test.",
        "1.0.0.10.in-addr.arpa. 60 PTR host.test.",
        "2.0.0.10.in-addr.arpa. 60 PTR bad\\032name.test.",
    };

    @TempDir Path folder;
    private ScriptedServer server;
    private Fixture files;

    @BeforeEach
    void start() {
        server = new ScriptedServer(DnsjTest::zone);
        files = new Fixture(folder, "nameserver 127.0.0.1\noptions timeout:2\n");
    }

    @AfterEach
    void end() {
        server.close();
    }

    private static List<?> zone(Asked asked) {
        return List.of(asked.fromZone(ZONE));
    }

    private static List<String> texts(List<InetAddress> addresses) {
        return addresses.stream().map(InetAddress::getHostAddress).toList();
    }

    /** Why a look-up fails, or null. */
    private static Reason reason(Dnsj dns, String name) {
        LookupException failure =
                catchThrowableOfType(LookupException.class, () -> dns.addresses(name));
        return failure == null ? null : failure.reason();
    }

    // ---- addresses ----

    @Test
    void shouldFindAddressesOfBothFamilies() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            List<InetAddress> found = dns.addresses("host.test");
            assertThat(texts(found)).containsExactlyInAnyOrder("10.0.0.1", "fd00:0:0:0:0:0:0:1");
            assertThat(found.getFirst().getHostName()).isEqualTo("host.test");
            assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
            assertThat(texts(dns.addresses("six.test"))).containsExactly("fd00:0:0:0:0:0:0:6");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, '10.0.0.1'",
        "2, 'fd00:0:0:0:0:0:0:1'",
        "7, '10.0.0.1 fd00:0:0:0:0:0:0:1'",
        "11, 'fd00:0:0:0:0:0:0:1 10.0.0.1'"
    })
    void shouldFollowThePolicy(int characteristics, String expected) throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("host.test", LookupPolicy.of(characteristics))))
                    .containsExactly(expected.split(" "));
        }
    }

    @Test
    void shouldAskForBothFamiliesAtTheSameTime() throws Exception {
        var both = new CountDownLatch(2);
        server.script(asked -> {
            both.countDown();
            assertThat(both.await(1, TimeUnit.SECONDS)).isTrue();
            return zone(asked);
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.addresses("host.test")).hasSize(2);
            assertThat(dns.statistics().queries()).isEqualTo(2);
        }
    }

    @Test
    void shouldAskForOneFamilyAfterTheOtherWhenToldSo() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions single-request\n");
        var inside = new AtomicInteger();
        server.script(asked -> {
            assertThat(inside.incrementAndGet()).isEqualTo(1);
            Thread.sleep(20);
            inside.decrementAndGet();
            return zone(asked);
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.addresses("host.test")).hasSize(2);
        }
    }

    @Test
    void shouldNotAskForIpv6WhenToldSo() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions no-aaaa\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("host.test"))).containsExactly("10.0.0.1");
            assertThat(server.count("host.test", Type.AAAA)).isZero();
        }
    }

    @Test
    void shouldLeaveLiteralsAlone() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("10.9.8.7"))).containsExactly("10.9.8.7");
            assertThat(texts(dns.addresses("fd00::9"))).containsExactly("fd00:0:0:0:0:0:0:9");
            assertThat(server.asked).isEmpty();
        }
    }

    @Test
    void shouldEncodeInternationalNames() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("b\u00fccher.test"))).containsExactly("10.0.0.7");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LOCALHOST.", "a.localhost", "a.b.Localhost."})
    void shouldNeverAskAServerForLocalhost(String name) throws Exception {
        Fixture.write(files.hosts, "");
        Fixture.write(files.nsSwitch, "hosts: dns [NOTFOUND=return] files\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses(name)))
                    .containsExactlyInAnyOrder("127.0.0.1", "0:0:0:0:0:0:0:1");
            assertThat(server.asked).isEmpty();
        }
    }

    @Test
    void shouldFollowAliases() throws Exception {
        server.script(asked ->
                List.of(
                        asked.with(
                                "www.test. 60 CNAME a.test.",
                                "a.test. 60 CNAME b.test.",
                                asked.type() == Type.A
                                        ? "b.test. 60 A 10.0.0.9"
                                        : "b.test. 60 AAAA fd00::9")));
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.addresses("www.test")).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a..test", "a\\.test", ".", "..", ".a.test"})
    void shouldRefuseNamesThatAreNone(String name) {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, name)).isIn(Reason.BAD_NAME, Reason.NO_SUCH_NAME);
        }
    }

    @Test
    void shouldRefuseNamesThatAreTooLong() {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, "a".repeat(64) + ".test")).isEqualTo(Reason.BAD_NAME);
            assertThat(reason(dns, "abcdefgh.".repeat(29) + "test")).isEqualTo(Reason.BAD_NAME);
            assertThat(server.asked).isEmpty();
        }
    }

    // ---- search ----

    @Test
    void shouldTryTheSearchListFirstWhenNameHasFewerDots() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\nsearch a.test b.test\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("short"))).containsExactly("10.0.1.1");
            assertThat(texts(dns.addresses("only"))).containsExactly("10.0.1.3");
            assertThat(texts(dns.addresses("x.y"))).containsExactly("10.0.1.5");
            assertThat(reason(dns, "short.")).isEqualTo(Reason.NO_SUCH_NAME);
        }
    }

    @Test
    void shouldTryTheSearchListFirstWhenNdotsAsksForMoreDots() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\nsearch a.test\noptions ndots:2\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("x.y"))).containsExactly("10.0.1.4");
            assertThat(texts(dns.addresses("host.test"))).contains("10.0.0.1");
        }
    }

    @Test
    void shouldNotTryTopLevelNamesWhenToldSo() {
        Fixture.write(
                files.resolvConf, "nameserver 127.0.0.1\nsearch a.test\noptions no-tld-query\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, "nothing")).isEqualTo(Reason.NO_SUCH_NAME);
            assertThat(server.count("nothing", Type.A)).isZero();
            assertThat(server.count("nothing.a.test", Type.A)).isEqualTo(1);
        }
    }

    @Test
    void shouldReportNoRecordOfTheSearchListBeforeNoName() {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\nsearch test\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, "mail")).isEqualTo(Reason.NO_RECORD);
        }
    }

    // ---- sources ----

    @Test
    void shouldPreferTheFileWhenItComesFirst() throws Exception {
        Fixture.write(files.hosts, "10.5.5.5 host.test\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("host.test"))).containsExactly("10.5.5.5");
            assertThat(server.asked).isEmpty();
        }
        try (Dnsj dns = files.builder(server).useHosts(false).build()) {
            assertThat(texts(dns.addresses("host.test"))).contains("10.0.0.1");
        }
        Fixture.write(files.nsSwitch, "hosts: dns files\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("host.test"))).contains("10.0.0.1");
        }
    }

    @Test
    void shouldEndTheSearchWhereAnActionSaysSo() throws Exception {
        Fixture.write(files.nsSwitch, "hosts: files [NOTFOUND=return] dns\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, "host.test")).isEqualTo(Reason.NO_SUCH_NAME);
            assertThat(server.asked).isEmpty();
        }
        Fixture.write(files.nsSwitch, "hosts: dns [!UNAVAIL=return] files\n");
        Fixture.write(files.hosts, "10.5.5.5 nowhere.test\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(reason(dns, "nowhere.test")).isEqualTo(Reason.NO_SUCH_NAME);
        }
    }

    @Test
    void shouldKnowThisMachineByMyhostname() throws Exception {
        Fixture.write(files.nsSwitch, "hosts: myhostname\n");
        String own = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        try (Dnsj dns = files.builder(server).build()) {
            List<InetAddress> found = dns.addresses(own);
            assertThat(found).isNotEmpty();
            assertThat(dns.name(found.getFirst())).isIn(own, "localhost");
            assertThat(server.asked).isEmpty();
        }
    }

    // ---- records and reverse look-ups ----

    @Test
    void shouldLookUpRecordsOfAnyType() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.lookup("mail.test", Type.MX))
                    .singleElement()
                    .isInstanceOfSatisfying(
                            MXRecord.class, mx -> assertThat(mx.getPriority()).isEqualTo(10));
            assertThatExceptionOfType(LookupException.class)
                    .isThrownBy(() -> dns.lookup("mail.test", Type.SRV))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_RECORD));
        }
    }

    @Test
    void shouldFindNamesOfAddresses() throws Exception {
        Fixture.write(files.hosts, "10.0.0.8 eight.test e\n");
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.name(InetAddress.ofLiteral("10.0.0.1"))).isEqualTo("host.test");
            assertThat(dns.name(InetAddress.ofLiteral("10.0.0.8"))).isEqualTo("eight.test");
            assertThatExceptionOfType(LookupException.class)
                    .isThrownBy(() -> dns.name(InetAddress.ofLiteral("10.0.0.3")));
        }
    }

    @Test
    void shouldRefuseNamesThatNoHostHas() {
        try (Dnsj dns = files.builder(server).build()) {
            assertThatExceptionOfType(LookupException.class)
                    .isThrownBy(() -> dns.name(InetAddress.ofLiteral("10.0.0.2")))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.BAD_ANSWER));
        }
    }

    // ---- failures told apart ----

    @ParameterizedTest
    @CsvSource({
        "NXDOMAIN, NO_SUCH_NAME, NXDOMAIN",
        "NOERROR, NO_RECORD, NODATA",
        "SERVFAIL, SERVER_FAILURE, SERVFAIL",
        "REFUSED, REFUSED, REFUSED",
        "NOTIMP, SERVER_FAILURE, NOTIMP"
    })
    void shouldTellFailuresApart(String rcode, Reason reason, String message) {
        server.script(asked -> List.of(asked.rcode(Rcode.value(rcode))));
        try (Dnsj dns = files.builder(server).build()) {
            assertThatExceptionOfType(LookupException.class)
                    .isThrownBy(() -> dns.addresses("host.test"))
                    .withMessageContaining("host.test")
                    .withMessageContaining(message)
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
        }
    }

    @Test
    void shouldTellTimeoutsAndClosedPorts() {
        server.script(_ -> List.of());
        try (Dnsj dns = files.builder(server).timeout(Duration.ofMillis(50)).build()) {
            assertThat(reason(dns, "host.test")).isEqualTo(Reason.TIMEOUT);
            assertThat(dns.statistics().timeouts()).isEqualTo(4);
        }
        int closed = server.port();
        server.close();
        try (Dnsj dns = files.builder(closed).build()) {
            long start = System.nanoTime();
            assertThat(reason(dns, "host.test")).isEqualTo(Reason.UNREACHABLE);
            assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
        }
    }

    @Test
    void shouldGiveAddressesOfOneFamilyWhenTheOtherFails() throws Exception {
        server.script(asked ->
                asked.type() == Type.AAAA ? List.of(asked.rcode(Rcode.SERVFAIL)) : zone(asked));
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("host.test"))).containsExactly("10.0.0.1");
        }
    }

    // ---- several servers ----

    @Test
    void shouldAskTheNextServerWhenOneFails() throws Exception {
        for (int rcode : new int[] {Rcode.SERVFAIL, Rcode.REFUSED, Rcode.NOTIMP}) {
            try (var failing = new ScriptedServer(asked -> List.of(asked.rcode(rcode)));
                    Dnsj dns =
                            files.builder(server)
                                    .server(failing.address())
                                    .server(server.address())
                                    .build()) {
                assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
            }
        }
    }

    @Test
    void shouldAskTheNextServerWhenOneOnlyRefers() throws Exception {
        try (var referring =
                        new ScriptedServer(asked -> {
                            var answer = asked.empty();
                            answer.getHeader().unsetFlag(Flags.RA);
                            ScriptedServer.add(answer, Section.AUTHORITY, "test. 60 NS ns.test.");
                            return List.of(answer);
                        });
                Dnsj dns =
                        files.builder(server)
                                .server(referring.address())
                                .server(server.address())
                                .build()) {
            assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
        }
    }

    @Test
    void shouldAskTheNextServerWhenOneIsSilent() throws Exception {
        try (var silent = new ScriptedServer(_ -> List.of());
                Dnsj dns =
                        files.builder(server)
                                .server(silent.address())
                                .server(server.address())
                                .timeout(Duration.ofMillis(100))
                                .build()) {
            long start = System.nanoTime();
            assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
            assertThat(System.nanoTime() - start).isBetween(100_000_000L, 1_000_000_000L);
        }
    }

    @Test
    void shouldStartWithAnotherServerEachTimeWhenRotating() throws Exception {
        try (var second = new ScriptedServer(DnsjTest::zone);
                Dnsj dns =
                        files.builder(server)
                                .server(server.address())
                                .server(second.address())
                                .rotate(true)
                                .cacheSize(0)
                                .build()) {
            for (int i = 0; i < 10; i++) {
                dns.addresses("host.test");
            }
            assertThat(server.asked).hasSize(10);
            assertThat(second.asked).hasSize(10);
        }
    }

    // ---- the wire ----

    @Test
    void shouldUseAFreshPortAndIdForEachQuestion() throws Exception {
        var ports = new HashSet<Integer>();
        var ids = new HashSet<Integer>();
        try (Dnsj dns = files.builder(server).cacheSize(0).build()) {
            for (int i = 0; i < 100; i++) {
                dns.addresses("host.test");
            }
        }
        for (Asked asked : server.asked) {
            ports.add(((InetSocketAddress) asked.from()).getPort());
            ids.add(asked.query().getHeader().getID());
        }
        assertThat(server.asked).hasSize(200);
        // a kernel's range has some 28,000 ports: a few are drawn twice
        assertThat(ports).hasSizeGreaterThan(180);
        assertThat(ids).hasSizeGreaterThan(180);
        int[] sorted = ports.stream().mapToInt(p -> p).sorted().toArray();
        assertThat(sorted[sorted.length - 1] - sorted[0]).isGreaterThan(5_000);
    }

    @Test
    void shouldSendAnOptRecordUnlessSwitchedOff() throws Exception {
        try (Dnsj dns = files.builder(server).build();
                Dnsj plain = files.builder(server).edns(false).build()) {
            dns.addresses("four.test");
            assertThat(server.asked).allMatch(a -> a.query().getOPT().getPayloadSize() == 1232);
            server.asked.clear();
            plain.addresses("four.test");
            assertThat(server.asked).allMatch(a -> a.query().getOPT() == null);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldAskWithoutOptRecordWhenServerDoesntKnowIt(boolean repeatsQuestion) throws Exception {
        server.script(asked -> {
            if (asked.query().getOPT() == null) {
                return zone(asked);
            }
            var answer = asked.rcode(Rcode.FORMERR);
            if (!repeatsQuestion) {
                answer.removeAllRecords(Section.QUESTION);
            }
            return List.of(answer);
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.addresses("host.test")).hasSize(2);
            assertThat(dns.addresses("four.test")).hasSize(1);
            assertThat(dns.statistics().queries()).isEqualTo(6); // it is remembered
        }
    }

    @Test
    void shouldSetTheAdFlagOnlyWhenItIsTrusted() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            dns.addresses("four.test");
            assertThat(server.asked).noneMatch(a -> a.query().getHeader().getFlag(Flags.AD));
        }
        server.asked.clear();
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions trust-ad\n");
        try (Dnsj dns = files.builder(server).build()) {
            dns.addresses("four.test");
            assertThat(server.asked).allMatch(a -> a.query().getHeader().getFlag(Flags.AD));
        }
    }

    @Test
    void shouldGoToTcpWhenAnswerIsTruncated() throws Exception {
        var records = new ArrayList<String>();
        for (int i = 0; i < 500; i++) {
            records.add("big.test. 60 A 10.1." + i / 250 + '.' + i % 250);
        }
        server.script(asked -> {
            if (!asked.tcp()) {
                var answer = asked.empty();
                answer.getHeader().setFlag(Flags.TC);
                return List.of(answer);
            }
            return List.of(asked.withMatching(records.toArray(new String[0])));
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.lookup("big.test", Type.A)).hasSize(500);
            assertThat(dns.statistics().truncated()).isEqualTo(1);
            assertThat(dns.statistics().tcpQueries()).isEqualTo(1);
        }
    }

    @Test
    void shouldReuseTcpConnections() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions use-vc\n");
        try (Dnsj dns = files.builder(server).cacheSize(0).build()) {
            for (int i = 0; i < 20; i++) {
                dns.addresses("host.test");
            }
            assertThat(server.asked).hasSize(40).allMatch(Asked::tcp);
            assertThat(server.accepted).hasValue(2); // A and AAAA, at the same time
        }
    }

    @Test
    void shouldOpenAnotherConnectionWhenTheServerHasClosedTheOld() throws Exception {
        try (Dnsj dns = files.builder(server).useTcp(true).cacheSize(0).build()) {
            for (int i = 0; i < 5; i++) {
                assertThat(dns.addresses("host.test")).hasSize(2);
                server.dropConnections();
            }
            assertThat(dns.statistics().failures()).isZero();
        }
    }

    @Test
    void shouldRandomiseCaseAndCheckIt() throws Exception {
        Set<String> spellings = new HashSet<>();
        try (Dnsj dns = files.builder(server).randomCase(true).cacheSize(0).build()) {
            for (int i = 0; i < 20; i++) {
                assertThat(dns.addresses("host.test")).hasSize(2);
            }
            server.asked.forEach(a -> spellings.add(a.name().toString()));
            assertThat(spellings).hasSizeGreaterThan(10);
            server.script(asked -> {
                byte[] answer = ((Message) zone(asked).getFirst()).toWire();
                for (int i = 12; i < 12 + asked.name().length(); i++) {
                    answer[i] = (byte) Character.toLowerCase(answer[i]);
                }
                return List.of(answer);
            });
        }
        try (Dnsj dns =
                files.builder(server).randomCase(true).timeout(Duration.ofMillis(50)).build()) {
            assertThat(reason(dns, "aaaaaaaaaaaaaaaaaaaaa.test")).isEqualTo(Reason.TIMEOUT);
            assertThat(dns.statistics().rejected()).isEqualTo(4);
        }
    }

    // ---- cache and flights ----

    @Test
    void shouldAnswerFromTheCache() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            for (int i = 0; i < 10; i++) {
                dns.addresses("Host.test");
                dns.addresses("host.TEST");
                assertThat(reason(dns, "nothing.test")).isEqualTo(Reason.NO_SUCH_NAME);
            }
            assertThat(server.asked).hasSize(4);
            Statistics statistics = dns.statistics();
            assertThat(statistics.hits()).isEqualTo(38);
            assertThat(statistics.negativeHits()).isEqualTo(18);
            assertThat(statistics.cached()).isEqualTo(4);
            assertThat(statistics.lookups()).isEqualTo(30);
        }
    }

    @Test
    void shouldAskOnceHoweverManyWait() throws Exception {
        var asked = new CountDownLatch(1);
        server.script(question -> {
            asked.await();
            return zone(question);
        });
        try (Dnsj dns = files.builder(server).build();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = new ArrayList<Future<List<InetAddress>>>();
            for (int i = 0; i < 100; i++) {
                results.add(threads.submit(() -> dns.addresses("host.test")));
            }
            Fixture.await("all ask", () -> dns.statistics().lookups() == 100);
            asked.countDown();
            for (Future<List<InetAddress>> result : results) {
                assertThat(result.get()).hasSize(2);
            }
            assertThat(server.asked).hasSize(2);
            assertThat(dns.statistics().queries()).isEqualTo(2);
        }
    }

    @Test
    void shouldServeStaleAnswersWhileNoServerDoes() throws Exception {
        server.script(asked -> List.of(asked.withMatching("old.test. 1 A 10.0.0.1")));
        try (Dnsj dns = files.builder(server).stale(Duration.ofHours(1)).build();
                Dnsj strict = files.builder(server).build()) {
            dns.lookup("old.test", Type.A);
            strict.lookup("old.test", Type.A);
            server.script(asked -> List.of(asked.rcode(Rcode.SERVFAIL)));
            Fixture.await(
                    "its time is over", () -> reason(strict, "old.test") == Reason.SERVER_FAILURE);
            assertThat(dns.lookup("old.test", Type.A)).hasSize(1);
            assertThat(dns.statistics().staleHits()).isEqualTo(1);
            server.script(_ -> List.of());
            long start = System.nanoTime();
            assertThat(dns.lookup("old.test", Type.A)).hasSize(1);
            assertThat(System.nanoTime() - start).isLessThan(1_990_000_000L);
            server.script(asked -> List.of(asked.rcode(Rcode.NXDOMAIN)));
            Fixture.await(
                    "the servers' word counts again",
                    () -> {
                        try {
                            dns.lookup("old.test", Type.A);
                            return false;
                        } catch (LookupException e) {
                            return e.reason() == Reason.NO_SUCH_NAME;
                        }
                    });
        }
    }

    @Test
    void shouldBoundQuestionsPerServer() throws Exception {
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        server.script(asked -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            Thread.sleep(5);
            inside.decrementAndGet();
            return List.of(asked.with(asked.name() + " 60 A 10.0.0.1"));
        });
        try (Dnsj dns = files.builder(server).concurrencyPerServer(3).build();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = new ArrayList<Future<?>>();
            for (int i = 0; i < 60; i++) {
                String name = "n" + i + ".test";
                results.add(threads.submit(() -> dns.lookup(name, Type.A)));
            }
            for (Future<?> result : results) {
                result.get();
            }
            assertThat(most.get()).isBetween(1, 3);
        }
    }

    // ---- interrupts ----

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void shouldGoOnWhenInterrupted(boolean virtual, boolean tcp) throws Exception {
        var release = new CountDownLatch(1);
        server.script(asked -> {
            release.await();
            return zone(asked);
        });
        try (Dnsj dns = files.builder(server).useTcp(tcp).timeout(Duration.ofSeconds(10)).build()) {
            var found = new ArrayList<InetAddress>();
            var flag = new AtomicBoolean();
            Runnable task =
                    () -> {
                        try {
                            found.addAll(dns.addresses("host.test"));
                        } catch (LookupException e) {
                            throw new AssertionError(e);
                        }
                        flag.set(Thread.currentThread().isInterrupted());
                    };
            Thread thread =
                    virtual ? Thread.ofVirtual().start(task) : Thread.ofPlatform().start(task);
            Fixture.await("it asks", () -> server.asked.size() >= 2);
            thread.interrupt();
            release.countDown();
            thread.join();
            assertThat(found).hasSize(2);
            assertThat(flag).isTrue();
        }
    }

    @Test
    void shouldReadItsFilesWhenInterrupted() throws Exception {
        Thread.currentThread().interrupt();
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    // ---- the builder ----

    @Test
    void shouldRefuseWhatCantBeUsed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dnsj.builder().port(0))
                .withMessageContaining("port");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Dnsj.builder()
                                .server(InetSocketAddress.createUnresolved("ns.example", 53)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dnsj.builder().timeout(Duration.ZERO));
        assertThatExceptionOfType(UncheckedIOException.class)
                .isThrownBy(() -> Dnsj.builder().hosts(folder.resolve("none")).build())
                .withMessageContaining("none");
    }

    @Test
    void shouldFailWhenClosed() {
        Dnsj dns = files.builder(server).build();
        dns.close();
        assertThatIllegalStateException().isThrownBy(() -> dns.addresses("host.test"));
    }

    // ---- reload ----

    @Test
    void shouldSeeChangesWithinASecond() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(texts(dns.addresses("four.test"))).containsExactly("10.0.0.4");
            Fixture.write(files.hosts, "10.6.6.6 six.six\n");
            expectWithinASecond("hosts", () -> finds(dns, "six.six", "10.6.6.6"));
            assertThat(server.count("four.test", Type.A)).isEqualTo(1); // still cached
            Fixture.write(files.resolvConf, "nameserver 127.0.0.1\nsearch b.test\n");
            expectWithinASecond("resolv.conf", () -> finds(dns, "only", "10.0.1.3"));
            Fixture.write(files.nsSwitch, "hosts: dns\n");
            expectWithinASecond("nsswitch.conf", () -> !finds(dns, "six.six", "10.6.6.6"));
            assertThat(dns.statistics().reloads()).isBetween(3L, 6L);
        }
    }

    private static void expectWithinASecond(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        Fixture.await(what, condition);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .as(what)
                .isLessThan(Duration.ofSeconds(1));
    }

    private static boolean finds(Dnsj dns, String name, String address) {
        try {
            return texts(dns.addresses(name)).contains(address);
        } catch (LookupException e) {
            return false;
        }
    }

    @Test
    void shouldForgetAnswersOfServersThatAreNoLongerAsked() throws Exception {
        try (Dnsj dns = files.builder(server).build()) {
            dns.addresses("four.test");
            Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions timeout:3\n");
            Fixture.await(
                    "asked again",
                    () ->
                            finds(dns, "four.test", "10.0.0.4")
                                    && server.count("four.test", Type.A) == 2);
        }
    }

    @Test
    void shouldNotLookForChangesWhenToldSo() throws Exception {
        Fixture.write(files.resolvConf, "nameserver 127.0.0.1\noptions no-reload\n");
        try (Dnsj dns = files.builder(server).build();
                Dnsj fixed = files.builder(server).reload(false).build()) {
            Fixture.write(files.hosts, "10.6.6.6 six.six\n");
            Thread.sleep(SettingsFiles.LOOK_EVERY.multipliedBy(2));
            assertThat(finds(dns, "six.six", "10.6.6.6")).isFalse();
            assertThat(finds(fixed, "six.six", "10.6.6.6")).isFalse();
        }
    }

    @Test
    void shouldKeepWhatItHasWhenAFileVanishes() throws Exception {
        Fixture.write(files.hosts, "10.6.6.6 six.six\n");
        try (Dnsj dns = files.builder(server).build()) {
            Files.delete(files.hosts);
            Thread.sleep(SettingsFiles.LOOK_EVERY.multipliedBy(2));
            assertThat(finds(dns, "six.six", "10.6.6.6")).isTrue();
            Fixture.write(files.hosts, "10.6.6.7 six.six\n");
            Fixture.await("it is back", () -> finds(dns, "six.six", "10.6.6.7"));
        }
    }
}
