package io.loomuring.tls;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;

/**
 * The distribution's PostgreSQL at 127.0.0.1 and 127.0.0.2, which takes connections by TLS only.
 */
final class PostgresServer implements AutoCloseable {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String USER = "postgres"; // it refuses to run as root

    private final Path folder;
    private final OpenSsl server;
    final int port;

    private PostgresServer(Path folder, OpenSsl server, int port) {
        this.folder = folder;
        this.server = server;
        this.port = port;
    }

    /** The path of one of its programs, or its name where it is not installed. */
    static String program(String name) {
        String found = name;
        if (Files.isDirectory(VERSIONS)) {
            try (DirectoryStream<Path> versions = Files.newDirectoryStream(VERSIONS)) {
                for (Path version : versions) {
                    Path program = version.resolve("bin").resolve(name);
                    if (Files.isExecutable(program)) {
                        found = program.toString();
                    }
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return found;
    }

    static PostgresServer start(String certificate) throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                OpenSsl.isInstalled(program("postgres")), "postgres is not installed");
        Path folder = Files.createTempDirectory("postgres");
        Path key = folder.resolve("server.pem");
        Files.copy(Path.of(OpenSsl.file(certificate)), key);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        if (isRoot()) {
            UserPrincipal owner =
                    folder.getFileSystem()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByName(USER);
            Files.setOwner(key, owner);
            Files.setOwner(folder, owner);
        }
        Path data = folder.resolve("data");
        try (OpenSsl init =
                asUser(
                        List.of(
                                program("initdb"),
                                "--pgdata=" + data,
                                "--username=tester",
                                "--auth=trust",
                                "--no-sync"))) {
            if (init.end() != 0) {
                throw new AssertionError(init.output());
            }
        }
        Files.writeString(data.resolve("pg_hba.conf"), "hostssl all all 127.0.0.0/8 trust\n");
        int port = OpenSsl.freePort();
        OpenSsl server =
                asUser(
                        List.of(
                                program("postgres"),
                                "-D",
                                data.toString(),
                                "-p",
                                Integer.toString(port),
                                "-c",
                                "listen_addresses=127.0.0.1,127.0.0.2",
                                "-c",
                                "unix_socket_directories=",
                                "-c",
                                "fsync=off",
                                "-c",
                                "ssl=on",
                                "-c",
                                "ssl_cert_file=" + key,
                                "-c",
                                "ssl_key_file=" + key));
        server.await("ready to accept connections");
        return new PostgresServer(folder, server, port);
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    private static OpenSsl asUser(List<String> command) throws IOException {
        var whole = new ArrayList<String>();
        if (isRoot()) {
            whole.addAll(
                    List.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups"));
        }
        whole.addAll(command);
        return OpenSsl.start(whole);
    }

    /** Ends it, and waits for that: its processes write to the folder until then. */
    @Override
    public void close() throws IOException {
        server.interrupt();
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path directory, IOException failure)
                            throws IOException {
                        Files.delete(directory);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
