package io.loomuring.dns;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Configuration files in a folder of the test's, and waiting. */
final class Fixture {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    final Path resolvConf;
    final Path hosts;
    final Path nsSwitch;

    Fixture(Path folder, String resolvConf) {
        this.resolvConf = write(folder.resolve("resolv.conf"), resolvConf);
        hosts = write(folder.resolve("hosts"), "127.0.0.1 localhost\n::1 localhost\n");
        nsSwitch = write(folder.resolve("nsswitch.conf"), "hosts: files dns\n");
    }

    /** Of these files alone. */
    Dnsj.Builder builder(ScriptedServer server) {
        return builder(server.port());
    }

    Dnsj.Builder builder(int port) {
        return Dnsj.builder()
                .resolvConf(resolvConf)
                .hosts(hosts)
                .nsSwitch(nsSwitch)
                .port(port)
                .environment(false);
    }

    static Path write(Path file, String text) {
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not in time: " + what);
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
