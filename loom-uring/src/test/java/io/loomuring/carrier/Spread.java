package io.loomuring.carrier;

import io.loomuring.testing.Await;
import io.loomuring.testing.Running;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** On which carriers threads run that compute for a while. */
final class Spread {
    private Spread() {}

    private static final int THREADS = 100;
    private static final long WORK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static String work() {
        long end = System.nanoTime() + WORK_NANOS;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
        return Installed.carrierName();
    }

    /** Starts threads as an accept loop does, and goes on until a condition holds. */
    static Set<String> ofChildren(BooleanSupplier enough) throws Exception {
        Running<Set<String>> parent =
                Running.onVirtual(() -> {
                    Set<String> names = new HashSet<>();
                    Await.until(
                            "the children are spread",
                            () -> {
                                names.addAll(carriersOf(THREADS));
                                return enough.getAsBoolean();
                            });
                    return names;
                });
        return parent.result();
    }

    /** As {@link #ofChildren}, started by a platform thread: a carrier may be stuck for a while. */
    static Set<String> ofThreadsOfAPlatformThread(int enough) {
        Set<String> names = new HashSet<>();
        Await.until(
                enough + " carriers run them",
                () -> {
                    names.addAll(carriersOf(THREADS));
                    return names.size() >= enough;
                });
        return names;
    }

    private static Set<String> carriersOf(int count) {
        List<Running<String>> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            threads.add(Running.onVirtual(Spread::work));
        }
        Set<String> names = new HashSet<>();
        for (Running<String> thread : threads) {
            try {
                names.add(thread.result());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        return names;
    }
}
