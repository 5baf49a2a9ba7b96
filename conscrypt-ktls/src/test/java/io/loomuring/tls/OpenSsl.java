package io.loomuring.tls;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A program that speaks TLS, run beside us, and what it prints. */
final class OpenSsl implements AutoCloseable {
    private static final long LIMIT_SECONDS = 60; // a JVM may take its time to start

    private final Process process;
    private final StringBuilder output = new StringBuilder(); // guarded by itself

    private OpenSsl(Process process) {
        this.process = process;
        Thread.ofPlatform().daemon().start(this::collect);
    }

    /** Starts a command, or skips the test where it is not installed. */
    static OpenSsl start(List<String> command) throws IOException {
        Assumptions.assumeTrue(isInstalled(command.get(0)), command.get(0) + " is not installed");
        return new OpenSsl(new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    static OpenSsl start(String... command) throws IOException {
        return start(new ArrayList<>(List.of(command)));
    }

    /**
     * {@code s_server} with the tests' certificate, which says the lines of its client reversed.
     */
    static OpenSsl server(Path keyLog, List<String> options, String... more) throws IOException {
        var command =
                new ArrayList<>(List.of("openssl", "s_server", "-accept", "127.0.0.1:0", "-rev"));
        command.addAll(List.of("-cert", file("server.pem"), "-key", file("server.pem")));
        command.addAll(List.of("-keylogfile", keyLog.toString()));
        command.addAll(options);
        command.addAll(List.of(more));
        return start(command);
    }

    /** The port that an {@code s_server} listens on, as it says. */
    int port() {
        return Integer.parseInt(await("ACCEPT 127\\.0\\.0\\.1:(\\d+)").group(1));
    }

    /** {@code s_client}, which trusts the tests' CA. */
    static OpenSsl client(int port, List<String> options, String... more) throws IOException {
        var command =
                new ArrayList<>(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port));
        command.addAll(List.of("-CAfile", file("ca.pem"), "-verify_return_error"));
        command.addAll(options);
        command.addAll(List.of(more));
        return start(command);
    }

    static boolean isInstalled(String command) {
        for (String folder : (System.getenv("PATH") + ":/usr/sbin").split(":", -1)) {
            if (Files.isExecutable(Path.of(folder).resolve(command))) { // a whole path is itself
                return true;
            }
        }
        return false;
    }

    /** A port of loopback that nobody listened on just now. */
    static int freePort() throws IOException {
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    static void awaitListening(int port) throws InterruptedException {
        for (int i = 0; ; i++) {
            try {
                new Socket(InetAddress.getLoopbackAddress(), port).close();
                return;
            } catch (IOException e) {
                if (i == 200) {
                    throw new AssertionError("nothing listens", e);
                }
                Thread.sleep(20);
            }
        }
    }

    /** A resource of the tests, as a file. */
    static String file(String name) {
        return Path.of(OpenSsl.class.getResource(name).getPath()).toString();
    }

    private void collect() {
        byte[] bytes = new byte[8192];
        try (InputStream in = process.getInputStream()) {
            int count;
            while ((count = in.read(bytes)) > 0) {
                synchronized (output) {
                    output.append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
                    output.notifyAll();
                }
            }
        } catch (IOException e) {
            // it has ended
        }
    }

    /** Waits until it has printed this; the match. */
    Matcher await(String pattern) {
        Pattern wanted = Pattern.compile(pattern);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        synchronized (output) {
            while (true) {
                Matcher matcher = wanted.matcher(output.toString());
                if (matcher.find()) {
                    return matcher;
                }
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    throw new AssertionError("no \"" + pattern + "\" in: " + output);
                }
                try {
                    output.wait(Math.min(left, 100));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    void tell(String text) throws IOException {
        process.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        process.getOutputStream().flush();
    }

    /** Waits for its end; the exit code. */
    int end() throws IOException, InterruptedException {
        process.getOutputStream().close();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("does not end: " + output());
        }
        return process.exitValue();
    }

    long pid() {
        return process.pid();
    }

    String output() {
        synchronized (output) {
            return output.toString();
        }
    }

    /** Asks it to end by a signal, and waits. */
    void interrupt() {
        process.toHandle().destroy();
        try {
            if (process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new AssertionError("does not end: " + output());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
