package io.loomuring.it.soak;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomuring.it.Confinement;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A network and a small file system that only the processes of a scene see; without root, where
 * everybody is, and what needs a place of its own is skipped.
 */
final class Place implements AutoCloseable {
    private static final String FILES_SIZE = "4m";
    private static final Path IPTABLES = Path.of("/usr/sbin/iptables");
    private static final boolean ROOT = System.getProperty("user.name").equals("root");

    private final Process holder; // null: where everybody is
    private final Path files;

    private Place(Process holder, Path files) {
        this.holder = holder;
        this.files = files;
    }

    /** A new one. */
    static Place of(Path folder) throws IOException {
        Path files = Files.createDirectories(folder.resolve("files"));
        if (!ROOT) {
            return new Place(null, files);
        }
        Process holder =
                new ProcessBuilder(
                                "unshare",
                                "--net",
                                "--mount",
                                "sh",
                                "-c",
                                "ip link set lo up && mount -t tmpfs -o size=$1 tmpfs \"$2\""
                                        + " && echo ready && exec cat",
                                "sh",
                                FILES_SIZE,
                                files.toString())
                        .redirectErrorStream(true)
                        .start();
        var out =
                new BufferedReader(
                        new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (!"ready".equals(line)) {
            holder.destroyForcibly();
            throw new IOException("no name spaces here: " + line);
        }
        return new Place(holder, files);
    }

    /** A folder whose file system nobody else has. */
    Path files() {
        return files;
    }

    /** Where processes of the scene run. */
    Confinement confinement() {
        return new Confinement("place", launcher());
    }

    private List<String> launcher() {
        return holder == null
                ? List.of()
                : List.of("nsenter", "-t", Long.toString(holder.pid()), "--net", "--mount");
    }

    /** Skips the test where there can be no place of its own. */
    static void assumeOwn() {
        assumeTrue(ROOT, "needs root, for a name space of its own");
    }

    /** Skips the test where there is no network to break. */
    static void assumeNetwork() {
        assumeOwn();
        assumeTrue(
                Files.isExecutable(IPTABLES),
                IPTABLES + " is missing (Debian: apt-get install iptables)");
    }

    /** Changes the rules of the network. */
    void iptables(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(IPTABLES.toString()));
        command.addAll(List.of(arguments));
        run(command);
    }

    /** Runs a command here, which must succeed. */
    String run(List<String> command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(confinement().around(command)).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + output);
        }
        return output;
    }

    @Override
    public void close() {
        if (holder != null) {
            holder.destroyForcibly();
        }
    }
}
