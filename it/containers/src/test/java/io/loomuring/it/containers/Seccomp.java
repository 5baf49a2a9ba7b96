package io.loomuring.it.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** A seccomp profile of a container, as JSON. */
record Seccomp(String name, String json) {
    static final List<String> IO_URING =
            List.of("io_uring_setup", "io_uring_enter", "io_uring_register");

    /** No profile at all. */
    static final Seccomp UNCONFINED = new Seccomp("unconfined", "unconfined");

    /** The one that we ship: it denies by default and allows io_uring. */
    static Seccomp shipped() {
        Path file = Path.of(System.getProperty("loomuring.root"), "docs/seccomp-io_uring.json");
        try {
            return new Seccomp(file.getFileName().toString(), Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same, without some of the calls that it allows. */
    Seccomp without(List<String> calls) {
        String less = json;
        for (String call : calls) {
            String next = less.replaceAll(Pattern.quote('"' + call + '"') + ",?", "");
            if (next.equals(less)) {
                throw new IllegalArgumentException(name + " doesn't allow " + call);
            }
            less = next;
        }
        return new Seccomp(name + " without " + calls, less.replaceAll(",(\\s*])", "$1"));
    }

    @Override
    public String toString() {
        return name;
    }
}
