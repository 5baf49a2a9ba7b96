package io.loomuring.tls.program;

import io.loomuring.tls.TlsCounters;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.management.JMException;
import javax.management.ObjectName;

/** Whose TLS this process has used: told by the objects on its heap, garbage included. */
final class Witness {
    private Witness() {}

    static void print() throws JMException {
        String histogram =
                (String)
                        ManagementFactory.getPlatformMBeanServer()
                                .invoke(
                                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                        "gcClassHistogram",
                                        new Object[] {new String[] {"-all"}},
                                        new String[] {String[].class.getName()});
        System.out.println("sockets=" + TlsCounters.toMap().get("handshakes"));
        System.out.println("engines=" + instances(histogram, "org.conscrypt.ConscryptEngine"));
        System.out.println(
                "jsse="
                        + (instances(histogram, "sun.security.ssl.SSLEngineImpl")
                                + instances(histogram, "sun.security.ssl.SSLSocketImpl")));
    }

    private static long instances(String histogram, String className) {
        Matcher line =
                Pattern.compile(":\\s+(\\d+)\\s+\\d+\\s+" + Pattern.quote(className) + "\\s")
                        .matcher(histogram);
        return line.find() ? Long.parseLong(line.group(1)) : 0;
    }
}
