package io.loomuring.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What resolv.conf(5), {@code LOCALDOMAIN} and {@code RES_OPTIONS} say, read as glibc's
 * resolv/res_init.c reads it.
 *
 * @param servers at least one, at most three
 * @param search domains to append, in order; may hold "." for the root
 * @param ndots a name with as many dots is tried as it is first
 * @param timeout for the first server; later ones get more, see {@link #timeout(int)}
 * @param attempts rounds through all servers
 * @param rotate start with another server each time
 * @param useTcp ask by TCP only (use-vc)
 * @param trustAd set AD in questions
 * @param singleRequest don't ask for A and AAAA at the same time
 * @param noAaaa never ask for AAAA
 * @param noTldQuery don't try a name without a dot as it is
 * @param noReload don't look for changes of the file
 * @param notes what was skipped, for people
 */
record ResolvConf(
        List<InetSocketAddress> servers,
        List<String> search,
        int ndots,
        Duration timeout,
        int attempts,
        boolean rotate,
        boolean useTcp,
        boolean trustAd,
        boolean singleRequest,
        boolean noAaaa,
        boolean noTldQuery,
        boolean noReload,
        List<String> notes) {

    private static final int SERVERS_MAX = 3; // MAXNS
    private static final int NDOTS_MAX = 15; // RES_MAXNDOTS
    private static final int TIMEOUT_MAX_SECONDS = 30; // RES_MAXRETRANS
    private static final int ATTEMPTS_MAX = 5; // RES_MAXRETRY
    private static final Duration SHORTEST_LATER_TIMEOUT = Duration.ofSeconds(1);

    /**
     * Reads.
     *
     * @param text null: there is no file
     * @param localDomain the environment's LOCALDOMAIN, or null
     * @param resOptions the environment's RES_OPTIONS, or null
     * @param hostName of this machine, for a search list where none is given
     */
    static ResolvConf parse(
            String text, String localDomain, String resOptions, String hostName, int port) {
        var parser = new Parser(port);
        if (localDomain != null) {
            parser.search(localDomain);
            if (parser.search.isEmpty()) {
                parser.search.add(".");
            }
        }
        boolean searchIsFixed = localDomain != null;
        for (String line : text == null ? new String[0] : text.split("\n", -1)) {
            parser.line(line, searchIsFixed);
        }
        if (resOptions != null) {
            parser.options(resOptions);
        }
        return parser.result(hostName);
    }

    /** How long to wait for the server at this place of the order: as glibc's send_dg. */
    Duration timeout(int place) {
        if (place == 0) {
            return timeout;
        }
        Duration later = timeout.multipliedBy(1L << place).dividedBy(servers.size());
        if (later.compareTo(SHORTEST_LATER_TIMEOUT) >= 0) {
            return later;
        }
        return timeout.compareTo(SHORTEST_LATER_TIMEOUT) < 0 ? timeout : SHORTEST_LATER_TIMEOUT;
    }

    private static final class Parser {
        final int port;
        final List<InetSocketAddress> servers = new ArrayList<>();
        final List<String> search = new ArrayList<>();
        final List<String> notes = new ArrayList<>();
        int ndots = 1;
        int timeoutSeconds = 5;
        int attempts = 2;
        boolean rotate;
        boolean useTcp;
        boolean trustAd;
        boolean singleRequest;
        boolean noAaaa;
        boolean noTldQuery;
        boolean noReload;

        Parser(int port) {
            this.port = port;
        }

        void line(String line, boolean searchIsFixed) {
            if (line.startsWith("#") || line.startsWith(";")) {
                return;
            }
            int end = indexOfAny(line, " \t");
            if (end == line.length()) {
                return; // a keyword alone, or an empty line
            }
            String value = stripBlanks(line.substring(end));
            switch (line.substring(0, end)) {
                case "nameserver" -> server(value.substring(0, indexOfAny(value, ";# \t\r")));
                case "domain" -> {
                    if (!searchIsFixed && !value.isEmpty()) {
                        search.clear();
                        search.add(value.substring(0, indexOfAny(value, " \t\r")));
                    }
                }
                case "search" -> {
                    if (!searchIsFixed && !value.isEmpty()) {
                        search.clear();
                        search(value);
                    }
                }
                case "options" -> options(value);
                case "sortlist" ->
                        notes.add("resolv.conf: sortlist is skipped, RFC 6724 has replaced it");
                default -> {
                    if (!line.isBlank()) {
                        notes.add("resolv.conf: skipped \"" + line.strip() + '"');
                    }
                }
            }
        }

        void server(String text) {
            if (servers.size() == SERVERS_MAX) {
                notes.add("resolv.conf: skipped nameserver " + text + ", the fourth or later");
                return;
            }
            InetAddress address = Literal.parse(text);
            if (address == null) {
                notes.add("resolv.conf: skipped nameserver \"" + text + "\", not an address");
            } else {
                servers.add(new InetSocketAddress(address, port));
            }
        }

        void search(String text) {
            String line = text.substring(0, indexOfAny(text, "\n"));
            Arrays.stream(line.split("[ \t\r]+", -1))
                    .filter(d -> !d.isEmpty())
                    .forEach(search::add);
        }

        /** Prefixes count, as they do for glibc's res_setoptions. */
        void options(String text) {
            for (String option : text.split("[ \t\r\n]+", -1)) {
                if (option.startsWith("ndots:")) {
                    ndots = number(option, NDOTS_MAX);
                } else if (option.startsWith("timeout:")) {
                    timeoutSeconds = Math.max(1, number(option, TIMEOUT_MAX_SECONDS));
                } else if (option.startsWith("attempts:")) {
                    attempts = Math.max(1, number(option, ATTEMPTS_MAX));
                } else if (option.startsWith("rotate")) {
                    rotate = true;
                } else if (option.startsWith("single-request")) {
                    singleRequest = true; // ours never share a socket: -reopen is the same
                } else if (option.startsWith("no_tld_query") || option.startsWith("no-tld-query")) {
                    noTldQuery = true;
                } else if (option.startsWith("no-reload")) {
                    noReload = true;
                } else if (option.startsWith("use-vc")) {
                    useTcp = true;
                } else if (option.startsWith("trust-ad")) {
                    trustAd = true;
                } else if (option.startsWith("no-aaaa")) {
                    noAaaa = true;
                } else if (!option.isEmpty() && !option.startsWith("edns0")) {
                    notes.add("resolv.conf: skipped option " + option); // EDNS0 is always on
                }
            }
        }

        /** As atoi, with a maximum; what is no number is 0. */
        private static int number(String option, int max) {
            String digits = option.substring(option.indexOf(':') + 1);
            int end = 0;
            while (end < digits.length()
                    && digits.charAt(end) >= '0'
                    && digits.charAt(end) <= '9') {
                end++;
            }
            if (end > 9) {
                return max;
            }
            return end == 0 ? 0 : Math.min(max, Integer.parseInt(digits.substring(0, end)));
        }

        ResolvConf result(String hostName) {
            if (servers.isEmpty()) {
                servers.add(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
            }
            int dot = hostName.indexOf('.');
            if (search.isEmpty() && dot >= 0 && dot + 1 < hostName.length()) {
                search.add(hostName.substring(dot + 1));
            }
            return new ResolvConf(
                    List.copyOf(servers),
                    List.copyOf(search),
                    ndots,
                    Duration.ofSeconds(timeoutSeconds),
                    attempts,
                    rotate,
                    useTcp,
                    trustAd,
                    singleRequest,
                    noAaaa,
                    noTldQuery,
                    noReload,
                    List.copyOf(notes));
        }

        private static String stripBlanks(String text) {
            int start = 0;
            while (start < text.length() && " \t".indexOf(text.charAt(start)) >= 0) {
                start++;
            }
            return text.substring(start);
        }

        /** The first place of one of these characters, or the end. */
        private static int indexOfAny(String text, String characters) {
            for (int i = 0; i < text.length(); i++) {
                if (characters.indexOf(text.charAt(i)) >= 0) {
                    return i;
                }
            }
            return text.length();
        }
    }
}
