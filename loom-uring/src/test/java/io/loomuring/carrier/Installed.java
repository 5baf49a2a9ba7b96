package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.ring.SqPolling;

/** Carriers in this JVM: each test class has one of its own. */
final class Installed {
    private Installed() {}

    /**
     * Installs carriers, polled if the build asks for that, with threads of the JDK's scheduler
     * from before. There are no spares: which carriers run is the test's, however busy the machine.
     */
    static void install(int carriers, boolean stealing) {
        install(carriers, carriers, stealing);
    }

    /** As above, with further carriers up to a limit. */
    static void install(int carriers, int carriersMax, boolean stealing) {
        System.setProperty("jdk.virtualThreadScheduler.maxPoolSize", Integer.toString(carriersMax));
        ThreadKind.startForeign();
        if (isPolled()) {
            SqPolling.assumeAllowed();
        }
        System.setProperty("loomuring.carriers", Integer.toString(carriers));
        System.setProperty("loomuring.steal", stealing ? "on" : "off");
        assertThat(LoomUring.install()).isTrue();
    }

    /** Whether a thread of the kernel's takes operations, in its own time. */
    static boolean isPolled() {
        return !System.getProperty("loomuring.sqpoll", "off").equals("off");
    }

    /** The name of the platform thread under the calling virtual thread. */
    static String carrierName() {
        String thread = Thread.currentThread().toString();
        return thread.substring(thread.indexOf('@') + 1);
    }

    static boolean isOurs(String carrierName) {
        return carrierName.startsWith("loom-uring-carrier-");
    }
}
