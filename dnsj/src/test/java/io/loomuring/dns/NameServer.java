package io.loomuring.dns;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Name servers that a distribution packages, as processes on loopback ports. */
final class NameServer implements AutoCloseable {
    static final String ZONE =
            """
            $ORIGIN test.
            $TTL 60
            @ SOA ns admin 1 3600 600 86400 30
            @ NS ns
            ns A 127.0.0.1
            host A 10.0.0.1
            host AAAA fd00::1
            four A 10.0.0.4
            six AAAA fd00::6
            under_score A 10.0.0.5
            alias CNAME host
            chain CNAME alias
            dangling CNAME nowhere
            mail MX 10 mx
            mx A 10.0.0.25
            _sip._tcp SRV 1 2 5060 host
            text TXT "hello there"
            *.wild A 10.0.2.1
            short.a A 10.0.1.1
            short.b A 10.0.1.2
            only.b A 10.0.1.3
            only6.b AAAA fd00::13
            x.y.a A 10.0.1.4
            nodata.a TXT "no address"
            nodata.b A 10.0.1.6
            xn--bcher-kva A 10.0.0.7
            many A 192.0.2.9
            many A 10.0.0.77
            many A 10.0.0.203
            many A 172.16.0.1
            many AAAA 2001:db8::9
            many AAAA fd00::9
            many AAAA 2001:db9::9
            many AAAA 2002:a00:1::9
            local A 127.0.0.9
            local A 10.0.0.9
            linked A 169.254.1.1
            linked A 10.0.0.8
            """
                    + big();

    static final String REVERSE =
            """
            $ORIGIN 10.in-addr.arpa.
            $TTL 60
            @ SOA ns.test. admin.test. 1 3600 600 86400 30
            @ NS ns.test.
            1.0.0 PTR host.test.
            """;

    private static String big() {
        var records = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            records.append("big A 10.3.").append(i / 250).append('.').append(i % 250).append('\n');
        }
        return records.toString();
    }

    private final Process process;
    final InetSocketAddress address;

    private NameServer(Path log, int port, List<String> command) {
        address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
        try {
            process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (Dnsj dns = Dnsj.builder().server(address).cacheSize(0).build()) {
            Fixture.await(
                    command + " answers: " + log,
                    () -> {
                        try {
                            return !dns.lookup("host.test.", org.xbill.DNS.Type.A).isEmpty();
                        } catch (LookupException e) {
                            return false;
                        }
                    });
        } catch (AssertionError e) {
            close();
            throw e;
        }
    }

    /** The zones' own server. */
    static NameServer knot(Path folder) {
        int port = freePort();
        Path conf = knotConf(folder, "127.0.0.1@" + port);
        return new NameServer(
                folder.resolve("knot.log"), port, List.of(program("knotd"), "-c", conf.toString()));
    }

    /** Its configuration and zones. */
    static Path knotConf(Path folder, String listen) {
        Fixture.write(folder.resolve("test.zone"), ZONE);
        Fixture.write(folder.resolve("reverse.zone"), REVERSE);
        return Fixture.write(
                folder.resolve("knot.conf"),
                """
                server:
                    rundir: "%1$s"
                    listen: %2$s
                log:
                  - target: stderr
                    any: warning
                database:
                    storage: "%1$s/db"
                zone:
                  - domain: test
                    file: "%1$s/test.zone"
                    journal-content: none
                  - domain: 10.in-addr.arpa
                    file: "%1$s/reverse.zone"
                    journal-content: none
                """
                        .formatted(folder, listen));
    }

    /** A resolver in front of the zones' server. */
    static NameServer unbound(Path folder, NameServer zones) {
        int port = freePort();
        Path conf =
                Fixture.write(
                        folder.resolve("unbound.conf"),
                        """
                        server:
                            directory: "%1$s"
                            chroot: ""
                            username: ""
                            pidfile: ""
                            interface: 127.0.0.1
                            port: %2$d
                            do-daemonize: no
                            use-syslog: no
                            do-not-query-localhost: no
                            module-config: "iterator"
                            local-zone: "test." nodefault
                            local-zone: "10.in-addr.arpa." nodefault
                        remote-control:
                            control-enable: no
                        stub-zone:
                            name: "test."
                            stub-addr: 127.0.0.1@%3$d
                        stub-zone:
                            name: "10.in-addr.arpa."
                            stub-addr: 127.0.0.1@%3$d
                        """
                                .formatted(folder, port, zones.address.getPort()));
        return new NameServer(
                folder.resolve("unbound.log"),
                port,
                List.of(program("unbound"), "-d", "-p", "-c", conf.toString()));
    }

    /** A forwarder in front of the zones' server. */
    static NameServer dnsmasq(Path folder, NameServer zones) {
        int port = freePort();
        return new NameServer(
                folder.resolve("dnsmasq.log"),
                port,
                List.of(
                        program("dnsmasq"),
                        "--keep-in-foreground",
                        "--conf-file=/dev/null",
                        "--pid-file=",
                        "--user=",
                        "--port=" + port,
                        "--listen-address=127.0.0.1",
                        "--bind-interfaces",
                        "--no-resolv",
                        "--no-hosts",
                        "--server=127.0.0.1#" + zones.address.getPort()));
    }

    /** Where a program is; a test that needs one that isn't there is skipped. */
    static String program(String name) {
        String found =
                Stream.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/sbin")
                        .map(folder -> folder + '/' + name)
                        .filter(path -> Files.isExecutable(Path.of(path)))
                        .findFirst()
                        .orElse(null);
        assumeTrue(found != null, name + " is not installed");
        return found;
    }

    private static int freePort() {
        try (var socket = new DatagramSocket()) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }
}
