package io.loomuring.it.program;

import io.loomuring.LoomUring;
import io.loomuring.UringSelectorProvider;

import java.nio.channels.SocketChannel;
import java.util.concurrent.FutureTask;

/**
 * Installs loom-uring by the copy that its class loader has, prints what that copy answers, and
 * goes on as {@link SwitchProbe}.
 */
public final class InstallingProbe {
    private InstallingProbe() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println("installed=" + LoomUring.install());
        System.out.println("again=" + LoomUring.install());
        System.out.println("copy=" + LoomUring.class.getClassLoader().getName());
        var carrier = new FutureTask<>(() -> Thread.currentThread().toString());
        LoomUring.threadFactory().newThread(carrier).start();
        System.out.println("factory=" + carrier.get().replaceAll(".*@", ""));
        try (SocketChannel channel = new UringSelectorProvider().openSocketChannel()) {
            System.out.println("channels=" + channel.getClass().getClassLoader().getName());
        }
        SwitchProbe.main(arguments);
        System.out.println("counted=" + (LoomUring.counters().operations > 0));
        long carriers =
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("loom-uring-carrier-"))
                        .count();
        System.out.println("carriers=" + carriers);
    }
}
