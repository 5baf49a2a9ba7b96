package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.dns.Java.Result;
import io.loomuring.dns.program.LikeGetent;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The same names with the same files, by glibc and by us: the same addresses in the same order. */
class GetentTest {
    private static final String SERVER = "nameserver 127.0.0.53\n";
    private static final String FILES_DNS = "hosts: files dns\n";
    private static final String HOSTS =
            """
            127.0.0.1 localhost
            ::1       localhost ip6-localhost # itself
            10.0.5.1  filehost.test filehost fh
            10.0.5.2  multi
            10.0.5.3  multi
            fd00::53  multi multi6
            10.0.5.4  Mixed.Case.test
            10.0.5.5  host.a.test
            127.1     shortform
            fd00::54  six.test
            """;

    /** glibc's own table is RFC 3484's, with additions. */
    private static final String RFC_6724 =
            """
            label ::1/128 0
            label ::/0 1
            label ::ffff:0:0/96 4
            label 2002::/16 2
            label 2001::/32 5
            label fc00::/7 13
            label ::/96 3
            label fec0::/10 11
            label 3ffe::/16 12
            precedence ::1/128 50
            precedence ::/0 40
            precedence ::ffff:0:0/96 35
            precedence 2002::/16 30
            precedence 2001::/32 5
            precedence fc00::/7 3
            precedence ::/96 1
            precedence fec0::/10 1
            precedence 3ffe::/16 1
            """;

    private static final List<String> NAMES =
            List.of(
                    "host.test",
                    "host.test.",
                    "host",
                    "six.test",
                    "alias.test",
                    "chain.test",
                    "some.wild.test",
                    "none.test",
                    "short",
                    "only",
                    "only6",
                    "only.b",
                    "x.y",
                    "nodata",
                    "nothing",
                    "localhost",
                    "filehost",
                    "multi",
                    "many.test",
                    "local.test",
                    "x.test");

    /** Asked for with some configurations only: each costs a process. */
    private static final List<String> ODD_NAMES =
            List.of(
                    "HOST.Test",
                    "four.test",
                    "under_score.test",
                    "dangling.test",
                    "mail.test",
                    "fh",
                    "multi6",
                    "mixed.case.test",
                    "filehost.test.",
                    "shortform",
                    "linked.test",
                    "10.0.0.1",
                    "127.1",
                    "::1",
                    "fd00::7",
                    "a..test",
                    "sp ace.test",
                    "-dash.test",
                    "a".repeat(64) + ".test");

    private static final Set<String> ODD_CONFIGURATIONS = Set.of("plain", "search", "files-only");

    /** What differs on purpose, and why. */
    private static final Map<String, String> DIFFERENT =
            Map.of("localhost", "RFC 6761: never asked of a server, and always this machine");

    @TempDir Path folder;

    private void conf(String name, String resolv, String nsSwitch, String... environment) {
        try {
            Path conf = Files.createDirectories(folder.resolve("conf").resolve(name));
            Fixture.write(conf.resolve("resolv.conf"), resolv);
            Fixture.write(conf.resolve("hosts"), HOSTS);
            Fixture.write(conf.resolve("nsswitch.conf"), nsSwitch);
            var names = new ArrayList<>(NAMES);
            if (ODD_CONFIGURATIONS.contains(name)) {
                names.addAll(ODD_NAMES);
            }
            Fixture.write(conf.resolve("names"), String.join("\n", names) + '\n');
            if (environment.length > 0) {
                Fixture.write(conf.resolve("environment"), String.join("\n", environment));
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void confs() {
        conf("plain", SERVER, FILES_DNS);
        conf("search", SERVER + "search a.test b.test\n", FILES_DNS);
        conf("ndots2", SERVER + "search a.test b.test\noptions ndots:2\n", FILES_DNS);
        conf("ndots0", SERVER + "search a.test b.test\noptions ndots:0\n", FILES_DNS);
        conf("domain", SERVER + "search a.test\ndomain b.test c.test\n", FILES_DNS);
        conf("root", SERVER + "search b.test .\n", FILES_DNS);
        conf("no-tld", SERVER + "search a.test\noptions no-tld-query\n", FILES_DNS);
        conf("dns-files", SERVER + "search a.test\n", "hosts: dns files\n");
        conf("files-only", SERVER, "hosts: files\n");
        conf("files-return", SERVER, "hosts: files [NOTFOUND=return] dns\n");
        conf("dns-return", SERVER, "hosts: dns [!UNAVAIL=return] files\n");
        conf("no-hosts-line", SERVER, "passwd: files\n");
        conf("use-vc", SERVER + "options use-vc\n", FILES_DNS);
        conf("no-aaaa", SERVER + "options no-aaaa\n", FILES_DNS);
        conf("single", SERVER + "options single-request\n", FILES_DNS);
        conf("edns", SERVER + "options edns0 trust-ad\n", FILES_DNS);
        conf("closed-first", "nameserver 127.0.0.54\n" + SERVER + "options rotate\n", FILES_DNS);
        conf(
                "untidy",
                """
                # comment
                ;another

                 nameserver 127.0.0.99
                nameserver\t127.0.0.53 # here
                nonsense
                search\t a.test \t b.test \s
                options  ndots:1\ttimeout:2 x
                """,
                "hosts: dns\n  hosts:files   dns # comment\n");
        conf("localdomain", SERVER + "search a.test\n", FILES_DNS, "LOCALDOMAIN=b.test a.test");
        conf(
                "res-options",
                SERVER + "search b.test\noptions ndots:1\n",
                FILES_DNS,
                "RES_OPTIONS=ndots:3 use-vc");
    }

    @Test
    void shouldFindWhatGetentFinds() throws Exception {
        for (String program : new String[] {"knotd", "getent", "ip", "unshare", "bash"}) {
            NameServer.program(program);
        }
        var namespace = new ArrayList<>(List.of("unshare", "--mount", "--net"));
        if (!Files.isWritable(Path.of("/etc"))) {
            namespace.addAll(List.of("--user", "--map-root-user"));
        }
        var trial = new ArrayList<>(namespace);
        trial.add("true");
        Result allowed = Java.run(folder, trial);
        assumeTrue(allowed.exit() == 0, "no namespaces here: " + allowed.errors());

        confs();
        NameServer.knotConf(folder, "127.0.0.53@53");
        Fixture.write(folder.resolve("gai.conf"), RFC_6724);
        Path script = folder.resolve("getent.sh");
        try (InputStream in = GetentTest.class.getResourceAsStream("getent.sh")) {
            Files.copy(in, script);
        }
        var command = new ArrayList<>(namespace);
        command.addAll(List.of("bash", script.toString(), folder.toString()));
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LikeGetent.class.getName()));
        Result result = Java.run(folder, command);
        assertThat(result.exit()).as(result.toString()).isZero();

        Map<String, String> glibc = read(folder.resolve("getent"));
        Map<String, String> ours = read(folder.resolve("java"));
        DIFFERENT.keySet().forEach(name -> drop(name, glibc, ours));
        assertThat(ours).hasSizeGreaterThan(200).hasSameSizeAs(glibc);
        assertThat(
                        ours.keySet().stream()
                                .filter(key -> !ours.get(key).equals(glibc.get(key)))
                                .map(key ->
                                        key
                                                + ": ours "
                                                + ours.get(key)
                                                + ", glibc "
                                                + glibc.get(key)))
                .isEmpty();
    }

    /** Addresses by configuration and name. */
    private static Map<String, String> read(Path file) throws IOException {
        var results = new TreeMap<String, String>();
        for (String line : Files.readAllLines(file)) {
            String[] parts = line.split("\t", -1);
            String addresses =
                    Arrays.stream(parts[2].split(" ", -1))
                            .filter(address -> !address.isEmpty())
                            .map(address -> InetAddress.ofLiteral(address).getHostAddress())
                            .collect(Collectors.joining(" "));
            results.put(parts[0] + ": " + parts[1], addresses);
        }
        return results;
    }

    @SafeVarargs
    private static void drop(String name, Map<String, String>... results) {
        for (Map<String, String> result : results) {
            result.keySet().removeIf(key -> key.endsWith(": " + name));
        }
    }
}
