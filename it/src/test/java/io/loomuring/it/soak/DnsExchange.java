package io.loomuring.it.soak;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Look-ups of names that nobody has asked for before; the address follows from the name. */
final class DnsExchange implements NumberedExchange {
    private final int stream;
    private int attempts;

    DnsExchange(int stream) {
        this.stream = stream;
    }

    @Override
    public void attempt(long number, Guard.Watch watch) throws UnknownHostException, Violation {
        String name = "n%d.t%d.s%d.test".formatted(number, ++attempts, stream);
        InetAddress address = InetAddress.getByName(name);
        if (!address.getHostAddress().equals(DnsServer.addressOf(name))) {
            throw new Violation(name + " is said to be at " + address);
        }
    }

    @Override
    public void close() {
        // there is nothing that stays
    }
}
