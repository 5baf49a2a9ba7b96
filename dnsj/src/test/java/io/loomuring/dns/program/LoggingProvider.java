package io.loomuring.dns.program;

import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPLoggerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Logging that wants to know this machine's name as it starts, on another thread too. */
public final class LoggingProvider implements SLF4JServiceProvider {
    @Override
    public void initialize() {
        look("here");
        Thread thread = Thread.ofPlatform().start(() -> look("there"));
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void look(String where) {
        try {
            InetAddress[] found = InetAddress.getAllByName("log." + where + ".test");
            System.out.println("logging " + where + ' ' + found[0].getHostAddress());
        } catch (UnknownHostException e) {
            System.out.println("logging " + where + " failed");
        }
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return new NOPLoggerFactory();
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return new BasicMarkerFactory();
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return new NOPMDCAdapter();
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }
}
