package io.loomuring.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The JVM's resolver: a {@link Dnsj} made at the first look-up, or the JDK's own where that can't
 * be, by one line on the error stream.
 *
 * <p>A look-up that comes out of our own (a security provider that is loaded for random numbers, a
 * logger's start) goes to the JDK's own: ours never waits for itself.
 */
final class DnsjResolver implements InetAddressResolver {
    private static final ScopedValue<Boolean> INSIDE = ScopedValue.newInstance();

    private final InetAddressResolver builtIn;
    private final Properties properties;
    private final ReentrantLock starting = new ReentrantLock();
    private volatile boolean started;
    private Dnsj dnsj; // null: the JDK's own; published by started

    DnsjResolver(InetAddressResolver builtIn, Properties properties) {
        this.builtIn = builtIn;
        this.properties = properties;
    }

    @Override
    public Stream<InetAddress> lookupByName(String host, LookupPolicy policy)
            throws UnknownHostException {
        if (INSIDE.isBound() || !isStarted()) {
            return builtIn.lookupByName(host, policy);
        }
        return ScopedValue.where(INSIDE, true).call(() -> dnsj.addresses(host, policy).stream());
    }

    @Override
    public String lookupByAddress(byte[] address) throws UnknownHostException {
        if (INSIDE.isBound() || !isStarted()) {
            return builtIn.lookupByAddress(address);
        }
        return ScopedValue.where(INSIDE, true)
                .call(() -> dnsj.name(InetAddress.getByAddress(address)));
    }

    /** Starts at the first call; whether there is a {@link Dnsj}. */
    private boolean isStarted() {
        if (!started) {
            Throwable obstacle = startLogging();
            ScopedValue.where(INSIDE, true).run(() -> startOnce(obstacle));
        }
        return dnsj != null;
    }

    private void startOnce(Throwable obstacle) {
        starting.lock();
        try {
            if (started) {
                return;
            }
            Throwable inTheWay = obstacle != null ? obstacle : start();
            if (inTheWay != null) {
                System.err.println(
                        "dnsj: " + text(inTheWay) + "; names are resolved by the JDK's own");
            }
            started = true;
        } finally {
            starting.unlock();
        }
    }

    /** What stands in the way, or null. */
    private Throwable start() {
        try {
            dnsj = ResolverOptions.read(properties).open();
            loadClasses();
            return null;
        } catch (RuntimeException | IOException | LinkageError e) {
            dnsj = null;
            return e;
        }
    }

    /** So that a dnsjava that doesn't fit shows now, and not in the middle of a look-up. */
    private static void loadClasses() throws IOException {
        Name name = Name.fromString("localhost.");
        byte[] query = Message.newQuery(Record.newRecord(name, Type.A, DClass.IN)).toWire();
        new Message(query).getHeader();
    }

    /** Before the lock is taken, see {@link Slf4j#start}. */
    private static Throwable startLogging() {
        try {
            Slf4j.start();
            return null;
        } catch (RuntimeException | LinkageError e) {
            return e;
        }
    }

    private static String text(Throwable obstacle) {
        Throwable cause = obstacle;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof IllegalArgumentException || cause instanceof IOException
                ? String.valueOf(cause.getMessage())
                : cause.toString();
    }
}
