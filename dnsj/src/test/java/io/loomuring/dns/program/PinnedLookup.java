package io.loomuring.dns.program;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Looks a name up in class initialisers, on virtual threads: these keep their carriers. */
public final class PinnedLookup {
    private PinnedLookup() {}

    private static final class First {
        static final String ADDRESS = look("host.test");
    }

    private static final class Second {
        static final String ADDRESS = look("other.test");
    }

    private static String look(String name) {
        try {
            return InetAddress.getAllByName(name)[0].getHostAddress();
        } catch (UnknownHostException e) {
            return e.getMessage();
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        Thread first = Thread.ofVirtual().start(() -> System.out.println(First.ADDRESS));
        Thread second = Thread.ofVirtual().start(() -> System.out.println(Second.ADDRESS));
        first.join();
        second.join();
    }
}
