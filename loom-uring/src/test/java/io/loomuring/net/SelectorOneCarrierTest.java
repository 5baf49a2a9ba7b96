package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.channels.SelectionKey.OP_READ;

import io.loomuring.LoomUring;
import io.loomuring.jdk.JdkInternals.Threads;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;

/** Selects of virtual threads hold no carrier: there is but one. */
@Timeout(60) // seconds a test; interrupts it
class SelectorOneCarrierTest {
    @BeforeAll
    static void install() {
        System.setProperty("loomuring.carriers", "1");
    }

    @Test
    void shouldHoldNoCarrierWhileItWaits() throws Exception {
        int selectors = 10;
        List<Selector> all = new ArrayList<>();
        List<Attempt<Thread>> selects = new ArrayList<>();
        try (var pair = Provider.OURS.pair()) {
            pair.client().configureBlocking(false);
            for (int i = 0; i < selectors; i++) {
                Selector selector = Provider.OURS.get().openSelector();
                all.add(selector);
                pair.client().register(selector, OP_READ);
                selects.add(
                        Attempt.start(
                                        ThreadKind.VIRTUAL,
                                        () -> {
                                            Thread carrier = Threads.currentCarrier();
                                            assertThat(selector.select()).isEqualTo(1);
                                            return carrier;
                                        })
                                .awaitBlocked());
            }
            for (var select : selects) {
                assertThat(select.thread().getState()).isEqualTo(Thread.State.WAITING);
            }
            var other = Attempt.start(ThreadKind.VIRTUAL, Threads::currentCarrier);
            Thread carrier = other.get(); // not one that stands in for a carrier that is held
            pair.server().write(ByteBuffer.allocate(1));
            for (var select : selects) {
                assertThat(select.get()).isSameAs(carrier);
            }
        } finally {
            for (Selector selector : all) {
                selector.close();
            }
        }
    }

    /** An event loop and blocking code, on the same carrier. */
    @Test
    void shouldServeABlockingClientOnTheSameCarrier() throws Exception {
        int rounds = 1_000;
        long operations = LoomUring.counters().operations;
        try (Selector selector = Provider.OURS.get().openSelector();
                var pair = Provider.OURS.pair()) {
            pair.server().configureBlocking(false).register(selector, OP_READ);
            var server =
                    Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                ByteBuffer buffer = ByteBuffer.allocateDirect(64);
                                for (int echoed = 0; echoed < rounds; ) {
                                    selector.select();
                                    for (SelectionKey key : selector.selectedKeys()) {
                                        assertThat(key.isReadable()).isTrue();
                                        pair.server().read(buffer.clear());
                                        echoed += pair.server().write(buffer.flip());
                                    }
                                    selector.selectedKeys().clear();
                                }
                                return null;
                            });
            var client =
                    Attempt.start(
                            ThreadKind.VIRTUAL,
                            () -> {
                                ByteBuffer buffer = ByteBuffer.allocateDirect(1);
                                for (int i = 0; i < rounds; i++) {
                                    pair.client().write(buffer.clear());
                                    pair.client().read(buffer.clear());
                                }
                                return null;
                            });
            client.get();
            server.get();
        }
        assertThat(LoomUring.counters().operations - operations).isGreaterThan(rounds);
    }
}
