package io.loomuring;

import io.loomuring.abi.Native;
import io.loomuring.testing.Running;

import java.util.concurrent.Callable;

/** An installation on a thread, and by a process, that the kernel treats worse than others. */
final class Refused {
    private Refused() {}

    /** Runs a body on a thread that first loses something. */
    static <T> T after(Runnable loss, Callable<T> body) throws Exception {
        Native.load(); // the loss itself needs it
        return Running.onPlatform(
                        () -> {
                            loss.run();
                            return body.call();
                        })
                .result();
    }

    static long carriers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("loom-uring-carrier-"))
                .count();
    }
}
