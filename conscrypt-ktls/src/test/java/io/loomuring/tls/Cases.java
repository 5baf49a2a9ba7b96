package io.loomuring.tls;

import org.junit.jupiter.params.provider.Arguments;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Parameters of tests. */
final class Cases {
    private Cases() {}

    static final List<String> PROTOCOLS = List.of("TLSv1.2", "TLSv1.3");

    static Stream<Arguments> pairs() {
        return Arrays.stream(TlsProvider.values())
                .flatMap(client ->
                        Arrays.stream(TlsProvider.values())
                                .map(server -> Arguments.of(client, server)));
    }

    static Stream<Arguments> pairsAndProtocols() {
        return pairs().flatMap(pair ->
                PROTOCOLS.stream()
                        .map(protocol -> Arguments.of(pair.get()[0], pair.get()[1], protocol)));
    }

    /** Both sides are of the same provider. */
    static Stream<Arguments> providersAndProtocols() {
        return Arrays.stream(TlsProvider.values())
                .flatMap(provider ->
                        PROTOCOLS.stream().map(protocol -> Arguments.of(provider, protocol)));
    }

    static Stream<Arguments> pairsAndSuites() {
        return pairs().flatMap(pair ->
                SUITES.stream().map(suite -> Arguments.of(pair.get()[0], pair.get()[1], suite)));
    }

    static final List<String> SUITES =
            List.of(
                    "TLS_AES_128_GCM_SHA256",
                    "TLS_AES_256_GCM_SHA384",
                    "TLS_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
}
