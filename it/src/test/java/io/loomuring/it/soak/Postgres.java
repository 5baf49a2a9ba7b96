package io.loomuring.it.soak;

import io.loomuring.it.Confinement;
import io.loomuring.it.Patience;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The distribution's PostgreSQL on a port of 127.0.0.1, in a folder of its own. */
final class Postgres implements AutoCloseable {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String USER = "postgres"; // it refuses to run as root
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Process process;
    private final Path home;
    private final Path log;

    private Postgres(Process process, Path home, Path log) {
        this.process = process;
        this.home = home;
        this.log = log;
        // unlike the tests' programs it does not end with its standard input
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    }

    /** Whether it is installed. */
    static boolean isThere() {
        return Files.isExecutable(program("initdb"));
    }

    private static Path program(String name) {
        Path found = Path.of("/nowhere");
        if (Files.isDirectory(VERSIONS)) {
            try (DirectoryStream<Path> versions = Files.newDirectoryStream(VERSIONS)) {
                for (Path version : versions) {
                    found = version.resolve("bin").resolve(name);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return found;
    }

    /** Starts a new one, with the schema that {@link SqlExchange} needs. */
    static Postgres start(int port, Confinement place) throws IOException, InterruptedException {
        Path home = Files.createTempDirectory("postgres"); // its user must get there
        var asUser = new ArrayList<String>();
        if (System.getProperty("user.name").equals("root")) {
            UserPrincipal owner =
                    home.getFileSystem()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByName(USER);
            Files.setOwner(home, owner);
            asUser.addAll(
                    List.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups"));
        }
        Path log = home.resolve("log");
        String data = home.resolve("data").toString();
        Process init =
                start(
                        place,
                        asUser,
                        log,
                        program("initdb").toString(),
                        "--pgdata=" + data,
                        "--username=tester",
                        "--auth=trust",
                        "--no-sync");
        if (init.waitFor() != 0) {
            throw new IOException(Files.readString(log));
        }
        Process process =
                start(
                        place,
                        asUser,
                        log,
                        program("postgres").toString(),
                        "-D",
                        data,
                        "-p",
                        Integer.toString(port),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories=" + home,
                        "-c",
                        "fsync=off");
        var server = new Postgres(process, home, log);
        Patience.await(
                () -> "PostgreSQL does not start: " + server.log(),
                LIMIT,
                () -> server.log().contains("ready to accept connections"));
        Process schema =
                start(
                        place,
                        asUser,
                        log,
                        program("psql").toString(),
                        "--host=" + home,
                        "--port=" + port,
                        "--username=tester",
                        "--dbname=postgres",
                        "--command=" + SqlExchange.SCHEMA);
        if (schema.waitFor() != 0) {
            throw new IOException(server.log());
        }
        return server;
    }

    private static Process start(
            Confinement place, List<String> asUser, Path log, String... command)
            throws IOException {
        var all = new ArrayList<>(asUser);
        all.addAll(List.of(command));
        return new ProcessBuilder(place.around(all))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(new File("/dev/null"))
                .start();
    }

    private String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** For pgjdbc, which waits that long for anything. */
    static String url(int port, int timeoutMillis) {
        int seconds = (timeoutMillis + 999) / 1000;
        return "jdbc:postgresql://127.0.0.1:%d/postgres?user=tester&connectTimeout=%d&socketTimeout=%d"
                .formatted(port, seconds, seconds);
    }

    /** Kills the processes that serve connections; the server ends the others, and recovers. */
    int killBackends() {
        int killed = 0;
        for (ProcessHandle child : process.children().toList()) {
            Path title = Path.of("/proc", Long.toString(child.pid()), "cmdline");
            try {
                if (Files.readString(title).contains("127.0.0.1(") && child.destroyForcibly()) {
                    killed++;
                }
            } catch (IOException e) {
                // it has ended
            }
        }
        return killed;
    }

    @Override
    public void close() {
        process.destroy(); // SIGTERM waits for clients: those of the scene have ended
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Folders.delete(home.toFile());
    }
}
