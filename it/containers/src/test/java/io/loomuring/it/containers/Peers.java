package io.loomuring.it.containers;

import org.testcontainers.images.builder.Transferable;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What applications talk to, each in a container of its own; not started. */
final class Peers {
    private Peers() {}

    /** Where the name server listens besides port 53: whoever asks it there is no C library. */
    static final int OTHER_DNS_PORT = 5353;

    /** With TLS and user {@code postgres}, password {@code secret}; see {@link #POSTGRES_READY}. */
    static LocalContainer postgres(Identity identity) {
        String script =
                """
                set -e
                as="setpriv --reuid=postgres --regid=postgres --clear-groups"
                bin=$(echo /usr/lib/postgresql/*/bin)
                install -d -o postgres /run/pg
                install -o postgres -m 600 /tls/key.pem /run/pg/key.pem
                echo secret >/run/pg/password
                $as $bin/initdb -D /run/pg/data -N -E UTF8 --locale=C.UTF-8 -A scram-sha-256 \\
                    --pwfile=/run/pg/password >/dev/null
                echo hostssl all all all scram-sha-256 >>/run/pg/data/pg_hba.conf
                exec $as $bin/postgres -D /run/pg/data -k /tmp -c listen_addresses='*' \\
                    -c fsync=off -c ssl=on -c ssl_cert_file=/tls/cert.pem \\
                    -c ssl_key_file=/run/pg/key.pem
                """;
        return identity.into(LocalContainer.of("sh", "-c", script));
    }

    static final String POSTGRES_READY = "database system is ready to accept connections";

    /** By TLS alone. */
    static LocalContainer redis(Identity identity) {
        return identity.into(
                LocalContainer.of(
                        "redis-server",
                        "--port",
                        "0",
                        "--tls-port",
                        "6379",
                        "--tls-cert-file",
                        "/tls/cert.pem",
                        "--tls-key-file",
                        "/tls/key.pem",
                        "--tls-auth-clients",
                        "no",
                        "--save",
                        "",
                        "--protected-mode",
                        "no"));
    }

    static final String REDIS_READY = "Ready to accept connections";

    /** With this block {@code http}; see {@link #NGINX_READY}. */
    static LocalContainer nginx(String http) {
        String config =
                """
                user root;
                daemon off;
                pid /tmp/nginx.pid;
                error_log stderr notice;
                events {}
                http {
                keepalive_requests 1000000;
                %s
                }
                """
                        .formatted(http);
        return LocalContainer.of("nginx", "-c", "/etc/own.conf")
                .withCopyToContainer(Transferable.of(config), "/etc/own.conf");
    }

    static final String NGINX_READY = "start worker process ";

    /** Knot, authoritative for a domain, with the addresses of names in it. */
    static LocalContainer nameServer(String domain, Map<String, String> addresses) {
        String config =
                """
                server:
                  rundir: /tmp
                  listen: [0.0.0.0@53, 0.0.0.0@%2$d]
                log:
                - target: stdout
                  any: info
                database:
                  storage: /tmp
                zone:
                - domain: %1$s
                  file: /etc/own.zone
                """
                        .formatted(domain, OTHER_DNS_PORT);
        String zone =
                "$ORIGIN "
                        + domain
                        + ".\n$TTL 60\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\n"
                        + "ns A 192.0.2.1\n"
                        + addresses.entrySet().stream()
                                .map(entry -> entry.getKey() + " A " + entry.getValue() + "\n")
                                .collect(Collectors.joining());
        return LocalContainer.of("knotd", "-c", "/etc/own.conf")
                .withCopyToContainer(Transferable.of(config), "/etc/own.conf")
                .withCopyToContainer(Transferable.of(zone), "/etc/own.zone");
    }

    static final String NAME_SERVER_READY = "server started";

    /** Starts each, then waits until each has said that it is ready. */
    static void start(Map<LocalContainer, String> ready) {
        List.copyOf(ready.keySet()).forEach(LocalContainer::start);
        ready.forEach(LocalContainer::awaitOutput);
    }
}
