package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.containers.program.LoadClient;
import io.loomuring.it.containers.program.Replica;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;
import java.util.Map;

/** Two replicas behind nginx are restarted in turn under load. */
@ExtendWith(Engine.class)
class RollingRestartIT {
    private static final int CONNECTIONS = 8;
    private static final int REQUESTS_MIN = 1000;
    private static final String A = Networks.address(21);
    private static final String B = Networks.address(22);

    /** What it repeats, and where, is logged: GET may be, at the other server. */
    private static final String NGINX =
            """
            map $upstream_addr $repeated { default 0; "~," 1; }
            log_format repeated "repeated: $request_uri $status $upstream_addr $upstream_status";
            access_log /dev/stdout repeated if=$repeated;
            upstream replicas {
                server %s:8080 max_fails=1 fail_timeout=1s;
                server %s:8080 max_fails=1 fail_timeout=1s;
                keepalive 16;
            }
            server {
                listen 80;
                location / {
                    proxy_pass http://replicas;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_connect_timeout 1s;
                    proxy_next_upstream error timeout;
                }
            }
            """
                    .formatted(A, B);

    @Test
    void noIdempotentRequestFailsWhileTheReplicasAreRestartedInTurn() {
        try (var network = Networks.createAddressed();
                var a = replica("a").withNetwork(network).address(A);
                var b = replica("b").withNetwork(network).address(B);
                var nginx = Peers.nginx(NGINX).withNetwork(network).withNetworkAliases("front");
                var client =
                        Jvm.onRings(List.of(), LoadClient.class, "front", "80", "" + CONNECTIONS)
                                .withNetwork(network)) {
            Peers.start(Map.of(a, "port=", b, "port=", nginx, Peers.NGINX_READY));
            client.start();
            client.awaitOutput("warm=");
            for (LocalContainer replica : List.of(a, b)) {
                replica.awaitOutputs("first=", 1);
                replica.restart();
                replica.awaitOutputs("first=", 2); // it serves again: now the other one may go
            }
            client.end();

            int requests = Integer.parseInt(client.awaitValue("requests"));
            long repeated = nginx.outputLines().stream().filter(RollingRestartIT::repeats).count();
            System.out.println(
                    requests
                            + " requests, repeated by nginx: "
                            + repeated
                            + ", slowest: "
                            + client.awaitValue("slowestMillis")
                            + " ms");
            assertThat(client.awaitValue("failures")).as("%s", client).isEqualTo("0");
            assertThat(requests).isGreaterThan(REQUESTS_MIN);
            assertThat(repeated).isPositive(); // else nothing was put to the test
            client.checkRings();
            for (LocalContainer replica : List.of(a, b)) {
                replica.endOnRings();
                assertThat(replica.lives()).as("%s", replica).isEqualTo(2);
                assertThat(replica.errorLines()).allMatch(line -> line.startsWith("loom-uring: "));
            }
        }
    }

    private static boolean repeats(String line) {
        return line.startsWith("repeated: ");
    }

    private static LocalContainer replica(String name) {
        return Jvm.onRings(List.of(), Replica.class, name);
    }
}
