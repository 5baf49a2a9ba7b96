package io.loomuring.net;

import org.junit.jupiter.params.provider.Arguments;

import java.util.stream.Stream;

/** Parameters that many tests share; named in {@code @MethodSource}. */
final class Cases {
    private Cases() {}

    /** (provider, thread): ours with every kind of thread, the JDK's with its own kinds. */
    static Stream<Arguments> providersAndThreads() {
        return Stream.of(Provider.values())
                .flatMap(provider ->
                        Stream.of(ThreadKind.values())
                                .filter(kind -> makesSense(provider, kind))
                                .map(kind -> Arguments.of(provider, kind)));
    }

    /** (provider, thread that waits, thread that acts on it). */
    static Stream<Arguments> providersAndThreadPairs() {
        return providersAndThreads()
                .flatMap(first ->
                        Stream.of(ThreadKind.values())
                                .filter(kind -> makesSense((Provider) first.get()[0], kind))
                                .map(kind -> Arguments.of(first.get()[0], first.get()[1], kind)));
    }

    private static boolean makesSense(Provider provider, ThreadKind kind) {
        // a virtual thread of ours would run the JDK's code no other way than a foreign one
        return provider == Provider.OURS || kind != ThreadKind.VIRTUAL;
    }
}
