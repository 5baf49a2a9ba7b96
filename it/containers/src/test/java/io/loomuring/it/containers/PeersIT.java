package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.containers.program.OrderClient;
import io.loomuring.it.containers.program.OrderServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.images.builder.Transferable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;

/**
 * An application with PostgreSQL, Redis and nginx behind it, each found by a name of a zone of its
 * own and spoken to over TLS, and its clients, in containers of a private network.
 */
@ExtendWith(Engine.class)
class PeersIT {
    private static final String DOMAIN = "loom.test";
    private static final int PRICE = 17;

    private static final int CONNECTIONS = 8;
    private static final int ORDERS = 50; // on each, a fifth of them void

    private static final Map<String, String> ADDRESSES =
            Map.of(
                    "db", Networks.address(11),
                    "cache", Networks.address(12),
                    "web", Networks.address(13),
                    "orders", Networks.address(14));
    private static final String NAME_SERVER = Networks.address(10);

    @TempDir private Path folder;

    @Test
    void ordersAreEnteredOnceByNameAndOverTls() throws Exception {
        var identity =
                Identity.make(
                        folder,
                        ADDRESSES.keySet().stream().map(name -> name + "." + DOMAIN).toList());
        String web =
                """
                access_log off;
                server {
                    listen 443 ssl;
                    ssl_certificate /tls/cert.pem;
                    ssl_certificate_key /tls/key.pem;
                    location = /price { return 200 "%d\\n"; }
                }
                """
                        .formatted(PRICE);
        // dnsj asks the name server itself, at a port that the C library couldn't use
        var ownServer = new ArrayList<>(Identity.jvmOptions());
        ownServer.add("-Dloomuring.dns.resolvConf=/etc/own-resolv.conf");
        ownServer.add("-Dloomuring.dns.port=" + Peers.OTHER_DNS_PORT);

        try (var network = Networks.createAddressed();
                var names =
                        Peers.nameServer(DOMAIN, ADDRESSES)
                                .withNetwork(network)
                                .address(NAME_SERVER);
                var db = at("db", Peers.postgres(identity)).withNetwork(network);
                var cache = at("cache", Peers.redis(identity)).withNetwork(network);
                var nginx = at("web", identity.into(Peers.nginx(web))).withNetwork(network);
                var server =
                        at(
                                        "orders",
                                        Jvm.onRings(
                                                ownServer,
                                                OrderServer.class,
                                                "db." + DOMAIN,
                                                "cache." + DOMAIN,
                                                "web." + DOMAIN))
                                .withNetwork(network)
                                .withCopyToContainer(
                                        Transferable.of("nameserver " + NAME_SERVER + "\n"),
                                        "/etc/own-resolv.conf");
                // the engine's own name server, which asks ours
                var client =
                        Jvm.onRings(
                                        Identity.jvmOptions(),
                                        OrderClient.class,
                                        "orders." + DOMAIN,
                                        "" + CONNECTIONS,
                                        "" + ORDERS)
                                .withNetwork(network)
                                .host(host -> host.withDns(NAME_SERVER))) {
            Peers.start(
                    Map.of(
                            names, Peers.NAME_SERVER_READY,
                            db, Peers.POSTGRES_READY,
                            cache, Peers.REDIS_READY,
                            nginx, Peers.NGINX_READY));
            identity.into(server).start();
            assertThat(server.awaitValue("tls")).isEqualTo("LoomUringTLS");
            server.awaitValue("port");

            identity.into(client).start();
            assertThat(client.awaitExit()).as("%s", client).isZero();
            int all = CONNECTIONS * ORDERS;
            int entered = all - all / 5;
            assertThat(client.outputLines())
                    .as("%s\n%s", client, server)
                    .contains(
                            "answers=" + all,
                            "sum=" + entered + " " + entered * PRICE + " " + entered + " true");
            client.checkRings();
            server.endOnRings();
            assertThat(server.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
        }
    }

    private static LocalContainer at(String name, LocalContainer container) {
        return container.address(ADDRESSES.get(name));
    }
}
