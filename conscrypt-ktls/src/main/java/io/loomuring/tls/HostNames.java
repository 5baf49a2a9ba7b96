package io.loomuring.tls;

import java.net.InetAddress;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Whether a certificate is for a host: RFC 9525, names in the subject alternative name alone, a
 * wildcard for the whole leftmost label alone and never for a top level domain's.
 */
final class HostNames {
    private HostNames() {}

    private static final int DNS_NAME = 2; // of GeneralName, RFC 5280
    private static final int IP_ADDRESS = 7;

    /** Throws unless the certificate is for the host, a name or an address in text. */
    static void check(String host, X509Certificate certificate) throws CertificateException {
        if (host == null || host.isEmpty()) {
            throw new CertificateException("No name to check the certificate for");
        }
        String name = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        Collection<List<?>> alternatives = alternatives(certificate);
        InetAddress address = literal(name);
        for (List<?> alternative : alternatives) {
            int type = (Integer) alternative.get(0);
            if (!(alternative.get(1) instanceof String value)) {
                continue;
            }
            if (address != null
                    ? type == IP_ADDRESS && address.equals(literal(value))
                    : type == DNS_NAME && matches(value, name)) {
                return;
            }
        }
        throw new CertificateException(
                address == null
                        ? "No subject alternative DNS name matching " + name + " found."
                        : "No subject alternative names matching IP address " + name + " found");
    }

    private static Collection<List<?>> alternatives(X509Certificate certificate)
            throws CertificateParsingException {
        Collection<List<?>> found = certificate.getSubjectAlternativeNames();
        return found == null ? List.of() : found;
    }

    private static InetAddress literal(String text) {
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    static boolean matches(String pattern, String host) {
        String wanted = withoutLastDot(pattern.toLowerCase(Locale.ROOT));
        String name = withoutLastDot(host.toLowerCase(Locale.ROOT));
        if (!wanted.startsWith("*.")) {
            return wanted.equals(name);
        }
        String domain = wanted.substring(1);
        int dot = name.indexOf('.');
        return dot > 0
                && name.substring(dot).equals(domain)
                && domain.indexOf('.', 1) > 0
                && domain.indexOf('*') < 0;
    }

    private static String withoutLastDot(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }
}
