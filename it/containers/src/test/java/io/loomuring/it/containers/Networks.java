package io.loomuring.it.containers;

import org.testcontainers.containers.Network;

/** Private networks; an address in them can be chosen. */
final class Networks {
    private Networks() {}

    /** Of RFC 2544's net for benchmarks; an engine's own networks lie elsewhere in it. */
    private static final String PREFIX = "198.19.77.";

    /** Where the engine chooses addresses. */
    static Network create() {
        return Network.builder()
                .createNetworkCmdModifier(command -> command.withLabels(LocalContainer.LABELS))
                .build();
    }

    /** With a net of known addresses, one such network at a time. */
    static Network createAddressed() {
        var ipam =
                new com.github.dockerjava.api.model.Network.Ipam()
                        .withConfig(
                                new com.github.dockerjava.api.model.Network.Ipam.Config()
                                        .withSubnet(PREFIX + "0/24"));
        return Network.builder()
                .createNetworkCmdModifier(
                        command -> command.withLabels(LocalContainer.LABELS).withIpam(ipam))
                .build();
    }

    /** An address in that net, from 2 on. */
    static String address(int host) {
        return PREFIX + host;
    }
}
