package io.loomuring.dns.program;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.Provider;
import java.security.SecureRandomSpi;
import java.security.Security;
import java.util.concurrent.ThreadLocalRandom;

/** A security provider, its random numbers from a device in the network, say. */
public final class ResolvingProvider extends Provider {
    private static final long serialVersionUID = 1;

    public ResolvingProvider() {
        super("Resolving", "1", "looks names up");
        put("SecureRandom.Resolving", Random.class.getName());
    }

    /** Its random numbers. */
    public static final class Random extends SecureRandomSpi {
        private static final long serialVersionUID = 1;

        public Random() {
            try {
                InetAddress.getAllByName("device.test");
            } catch (UnknownHostException e) {
                System.out.println("no device");
            }
        }

        @Override
        protected void engineSetSeed(byte[] seed) {}

        @Override
        protected void engineNextBytes(byte[] bytes) {
            ThreadLocalRandom.current().nextBytes(bytes);
        }

        @Override
        protected byte[] engineGenerateSeed(int bytes) {
            return new byte[bytes];
        }
    }

    public static void main(String[] names) throws InterruptedException {
        Security.insertProviderAt(new ResolvingProvider(), 1);
        Resolve.main(names);
    }
}
