package io.loomuring.dns;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** JVMs that tests start. */
final class Java {
    private Java() {}

    /** What one has printed. */
    record Result(int exit, List<String> output, List<String> errors) {}

    /** The packed jar under test. */
    static String dnsj() {
        return System.getProperty("dnsj.jar");
    }

    /** The jar of loom-uring. */
    static String loomUring() {
        return System.getProperty("loomuring.jar");
    }

    /** On the carriers, or not at all. */
    static List<String> agent() {
        return List.of(
                "-javaagent:" + loomUring(), "-Dloomuring.mode=required", "-Dloomuring.report=on");
    }

    static List<String> dnsOptions(Fixture files, int port) {
        return List.of(
                "-Dloomuring.dns.resolvConf=" + files.resolvConf,
                "-Dloomuring.dns.hosts=" + files.hosts,
                "-Dloomuring.dns.nsswitch=" + files.nsSwitch,
                "-Dloomuring.dns.port=" + port);
    }

    /** Runs a program to its end. */
    static Result run(
            Path folder,
            List<String> options,
            List<String> classPath,
            Class<?> program,
            String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-ea");
        command.addAll(options);
        command.add("-cp");
        command.add(String.join(File.pathSeparator, classPath));
        command.add(program.getName());
        command.addAll(List.of(arguments));
        return run(folder, command);
    }

    /** Runs a command to its end. */
    static Result run(Path folder, List<String> command) {
        try {
            Path output = Files.createTempFile(folder, "output", "");
            Path errors = Files.createTempFile(folder, "errors", "");
            Process process =
                    new ProcessBuilder(command)
                            .redirectOutput(output.toFile())
                            .redirectError(errors.toFile())
                            .start();
            try {
                if (!process.waitFor(200, TimeUnit.SECONDS)) {
                    throw new AssertionError("did not end: " + command);
                }
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            return new Result(process.exitValue(), lines(output), lines(errors));
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8).lines().toList();
    }

    /** The folder of the tests' classes. */
    static String testClasses() {
        return Path.of(Java.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }
}
