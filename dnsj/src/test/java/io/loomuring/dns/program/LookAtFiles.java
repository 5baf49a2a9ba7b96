package io.loomuring.dns.program;

import io.loomuring.LoomUring;

import java.net.InetAddress;

/** Prints how many ring operations it takes to find a name in the hosts file after a while. */
public final class LookAtFiles {
    private LookAtFiles() {}

    /** Longer than dnsj goes without a look at its files. */
    private static final int PAUSE_MILLIS = 300;

    public static void main(String[] names) throws InterruptedException {
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        InetAddress.getByName(names[0]);
                        Thread.sleep(PAUSE_MILLIS);
                        long before = LoomUring.counters().operations;
                        InetAddress.getByName(names[1]);
                        System.out.println(LoomUring.counters().operations - before);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                })
                .join();
    }
}
