package io.loomuring.dns.program;

import io.loomuring.dns.Dnsj;
import io.loomuring.dns.LookupException;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/**
 * For each folder of configuration files, looks the names of its file {@code names} up, and prints
 * folder, name and addresses, tab-separated.
 */
public final class LikeGetent {
    private LikeGetent() {}

    public static void main(String[] folders) throws IOException {
        for (String argument : folders) {
            Path folder = Path.of(argument);
            try (Dnsj dns =
                    Dnsj.builder()
                            .resolvConf(folder.resolve("resolv.conf"))
                            .hosts(folder.resolve("hosts"))
                            .nsSwitch(folder.resolve("nsswitch.conf"))
                            .build()) {
                for (String name : Files.readAllLines(folder.resolve("names"))) {
                    System.out.println(
                            folder.getFileName() + "\t" + name + '\t' + addresses(dns, name));
                }
            }
        }
    }

    private static String addresses(Dnsj dns, String name) {
        try {
            return dns.addresses(name).stream()
                    .map(InetAddress::getHostAddress)
                    .collect(Collectors.joining(" "));
        } catch (LookupException e) {
            return "";
        }
    }
}
