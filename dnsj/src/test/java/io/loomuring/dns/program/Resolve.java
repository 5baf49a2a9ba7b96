package io.loomuring.dns.program;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * An application that knows nothing of us: on a virtual thread it looks up its arguments, names and
 * addresses, and prints a line for each.
 */
public final class Resolve {
    private Resolve() {}

    public static void main(String[] names) throws InterruptedException {
        Thread.ofVirtual()
                .start(() -> Arrays.stream(names).map(Resolve::line).forEach(System.out::println))
                .join();
    }

    private static String line(String name) {
        try {
            InetAddress[] found = InetAddress.getAllByName(name);
            return Character.isDigit(name.charAt(0))
                    ? name + " " + found[0].getHostName()
                    : name
                            + " "
                            + Arrays.stream(found)
                                    .map(InetAddress::getHostAddress)
                                    .collect(Collectors.joining(" "));
        } catch (UnknownHostException e) {
            return name + " failed: " + e.getMessage();
        }
    }
}
