package io.loomuring.dns;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What hosts(5) says. An address may stand on several lines and a name on several lines, with
 * addresses of both families. Beyond glibc, an IPv6 address may have a scope.
 *
 * @param addresses by name in lower case, in the order of the lines
 * @param names the first name on the first line of an address
 * @param notes what was skipped, for people
 */
record HostsFile(
        Map<String, List<InetAddress>> addresses,
        Map<InetAddress, String> names,
        List<String> notes) {

    static final HostsFile EMPTY = new HostsFile(Map.of(), Map.of(), List.of());

    /** Reads; null stands for a file that isn't there. */
    static HostsFile parse(String text) {
        if (text == null) {
            return EMPTY;
        }
        var addresses = new HashMap<String, List<InetAddress>>();
        var names = new HashMap<InetAddress, String>();
        var notes = new ArrayList<String>();
        for (String line : text.split("\n", -1)) {
            int comment = line.indexOf('#');
            String[] words =
                    (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+", -1);
            if (words.length < 2) {
                continue;
            }
            InetAddress address = address(words[0]);
            if (address == null) {
                notes.add("hosts: skipped \"" + words[0] + "\", not an address of this machine");
                continue;
            }
            names.putIfAbsent(address, words[1]);
            for (int i = 1; i < words.length; i++) {
                List<InetAddress> all =
                        addresses.computeIfAbsent(key(words[i]), name -> new ArrayList<>(1));
                if (!all.contains(address)) {
                    all.add(address);
                }
            }
        }
        return new HostsFile(addresses, names, notes);
    }

    /** As inet_pton: four decimal numbers or IPv6; no shorter forms. Null if it is neither. */
    private static InetAddress address(String text) {
        boolean ipv4 = text.indexOf(':') < 0;
        if (ipv4 && text.chars().filter(c -> c == '.').count() != 3) {
            return null;
        }
        return Literal.parse(text);
    }

    /** The addresses of a name, none if it isn't there. */
    List<InetAddress> addressesOf(String name) {
        return addresses.getOrDefault(key(name), List.of());
    }

    private static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
