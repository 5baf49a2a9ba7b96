package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.containers.program.EchoClient;

import org.testcontainers.containers.Network;

import java.util.ArrayList;
import java.util.List;

/** Clients of an {@link io.loomuring.it.containers.program.EchoServer}, in a container. */
final class EchoTraffic {
    private EchoTraffic() {}

    /** They run on the rings and get all their answers. */
    static void check(Network network, String server, int connections, int messages) {
        try (var client = client(network, server, connections, messages)) {
            client.start();
            assertThat(client.awaitExit()).as("%s", client).isZero();
            assertThat(client.outputLines()).contains("answers=" + connections * messages);
            client.checkRings();
        }
    }

    static LocalContainer client(
            Network network, String server, int connections, int messages, String... more) {
        var arguments = new ArrayList<>(List.of(server, "" + connections, "" + messages));
        arguments.addAll(List.of(more));
        return Jvm.onRings(List.of(), EchoClient.class, arguments.toArray(String[]::new))
                .withNetwork(network);
    }
}
