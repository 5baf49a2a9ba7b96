package io.loomuring.carrier;

import static io.loomuring.carrier.Installed.carrierName;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Errno;
import io.loomuring.ring.Op;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;
import io.loomuring.testing.SocketPair;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A carrier that can't go on: it is heard of, and what it has goes on elsewhere. */
class CarrierFailureTest {
    private static final int THREADS = 40; // of each kind, on both carriers
    private static final long SLEEP_MILLIS = 300;

    @BeforeAll
    static void install() {
        Installed.install(2, 4, true);
    }

    @Test
    void shouldLoseNothingOfACarrierThatFails() throws Exception {
        var errors = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
        List<SocketPair> pairs = new ArrayList<>();
        try (Arena arena = Arena.ofShared()) {
            List<Running<?>> threads = new ArrayList<>();
            List<Op> ops = new ArrayList<>();
            var go = new AtomicBoolean();
            var sleeping = new AtomicInteger();
            for (int i = 0; i < THREADS; i++) {
                SocketPair pair = SocketPair.open();
                pairs.add(pair);
                var op = new Op(_ -> {});
                ops.add(op);
                long memory = arena.allocate(8).address();
                threads.add(
                        Running.onVirtual(() -> {
                            assertThat(op.tryClaim()).isTrue();
                            assertThat(CarrierIo.recv(op, pair.fd(), memory, 8, 0, 0)).isOne();
                        }));
                threads.add(
                        Running.onVirtual(() -> {
                            sleeping.incrementAndGet();
                            Thread.sleep(SLEEP_MILLIS);
                        }));
                threads.add(
                        Running.onVirtual(() -> {
                            while (!go.get()) {
                                LockSupport.park();
                            }
                        }));
            }
            ops.forEach(op -> Await.until("in flight", op::inFlight));
            Await.until("all sleep", () -> sleeping.get() == THREADS);
            String failed =
                    Running.onVirtual(
                                    () -> {
                                        // the filter is the carrier's: it can't enter its ring any
                                        // more
                                        Seccomp.refuse(Seccomp.IO_URING_ENTER, Errno.EPERM);
                                        return carrierName();
                                    })
                            .result();
            Await.until(
                    "it is told",
                    () ->
                            errors.toString(StandardCharsets.UTF_8)
                                    .contains("internal error on " + failed));
            go.set(true);
            threads.forEach(thread -> LockSupport.unpark(thread.thread()));
            pairs.forEach(pair -> pair.peerSends((byte) 1));
            Running.allEnd(threads);
            for (int i = 0; i < THREADS; i++) {
                assertThat(Running.onVirtual(Installed::carrierName).result()).isNotEqualTo(failed);
            }
        } finally {
            System.setErr(before);
            pairs.forEach(SocketPair::close);
        }
    }
}
