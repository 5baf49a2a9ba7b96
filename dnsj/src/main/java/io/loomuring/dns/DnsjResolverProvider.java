package io.loomuring.dns;

import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;

/**
 * Makes dnsj the JVM's resolver (JEP 418). The JDK calls it at the first look-up, with a lock held:
 * nothing is read or loaded here that could need a look-up.
 */
public final class DnsjResolverProvider extends InetAddressResolverProvider {
    /** For the service loader. */
    public DnsjResolverProvider() {}

    @Override
    public InetAddressResolver get(Configuration configuration) {
        return new DnsjResolver(configuration.builtinResolver(), System.getProperties());
    }

    @Override
    public String name() {
        return "dnsj";
    }
}
