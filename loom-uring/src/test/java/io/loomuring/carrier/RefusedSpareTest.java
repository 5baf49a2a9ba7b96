package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Native;
import io.loomuring.observe.Counters;
import io.loomuring.ring.Op;
import io.loomuring.ring.Ring;
import io.loomuring.ring.RingException;
import io.loomuring.testing.Await;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** The kernel has a ring for one carrier, and none for who is to take over for it. */
class RefusedSpareTest {
    private static final int CARRIERS_MAX = 3;
    private static final int ENTRIES = 8;

    private final PrintStream err = System.err;
    private final ByteArrayOutputStream told = new ByteArrayOutputStream();
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicBoolean allowed = new AtomicBoolean();
    private final CountDownLatch blocked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);

    @BeforeAll
    static void load() {
        Native.load();
    }

    @BeforeEach
    void listen() {
        System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void free() {
        done.countDown();
        System.setErr(err);
    }

    private Ring newRing(Counters counters, Consumer<Op.Cancel> cancelSink) throws RingException {
        boolean first = asked.getAndIncrement() == 0;
        return new Ring(first || allowed.get() ? ENTRIES : 0, 2 * ENTRIES, 0, counters, cancelSink);
    }

    private void block() {
        blocked.countDown();
        try {
            done.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private int timesTold() {
        return told.toString(StandardCharsets.UTF_8).split("no further carrier", -1).length - 1;
    }

    @Test
    void shouldBeToldOnceAndTriedAgain() throws Exception {
        CarrierGroup group = CarrierGroup.start(1, CARRIERS_MAX, true, this::newRing);
        group.execute(this::block);
        blocked.await();
        var ran = new AtomicBoolean();
        group.execute(() -> ran.set(true));
        Await.until("it is told", () -> timesTold() > 0);
        int askedThen = asked.get();
        assertThat(ran).isFalse();

        allowed.set(true);
        Await.until("a spare takes over", ran::get);
        assertThat(asked.get()).isGreaterThan(askedThen);
        assertThat(timesTold()).isOne();
    }
}
