package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A JVM that a test starts and looks at from outside. Its programs end when their standard input
 * does, so none outlives the test's JVM.
 */
public final class Child implements AutoCloseable {
    /** Our provider's class. */
    static final String PROVIDER = "io.loomuring.UringSelectorProvider";

    private static final Duration LINE_WAIT = Duration.ofSeconds(30);
    private static final Duration EXIT_WAIT = Duration.ofSeconds(30);

    private final Process process;
    private final List<String> output;
    private final List<String> errors;
    private final List<Thread> readers = new ArrayList<>();
    private int linesTaken;

    private Child(List<String> command) {
        try {
            process = new ProcessBuilder(command).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        output = collect(process.getInputStream());
        errors = collect(process.getErrorStream());
    }

    /** A JVM with these options, class and arguments. */
    static Child start(List<String> options, String... more) {
        var command = new ArrayList<String>();
        command.add(java());
        command.addAll(options);
        command.addAll(List.of(more));
        return new Child(command);
    }

    /** One of the tests' programs, on their class path. */
    static Child program(List<String> options, Class<?> program, String... arguments) {
        return programOn(List.of(testClasses()), options, program, arguments);
    }

    /** A program on a class path of these files and folders. */
    static Child programOn(
            List<String> classPath, List<String> options, Class<?> program, String... arguments) {
        var all = new ArrayList<>(options);
        all.add("-cp");
        all.add(String.join(File.pathSeparator, classPath));
        all.add(program.getName());
        return start(all, arguments);
    }

    /** One of the tests' programs, with the jar on its class path too, where less is allowed. */
    static Child confined(
            Confinement confinement, List<String> options, Class<?> program, String... arguments) {
        var all = new ArrayList<>(options);
        all.addAll(List.of("-cp", testClasses() + File.pathSeparator + jar(), program.getName()));
        return confined(confinement, all, arguments);
    }

    /** A JVM with these options, class and arguments, where less is allowed. */
    public static Child confined(Confinement confinement, List<String> options, String... more) {
        var command = new ArrayList<String>();
        command.add(java());
        command.addAll(options);
        command.addAll(List.of(more));
        return new Child(confinement.around(command));
    }

    public static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** The jar under test. */
    public static String jar() {
        return System.getProperty("loomuring.jar");
    }

    /** The folder of the tests' classes. */
    static String testClasses() {
        return Path.of(Child.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }

    /** Runs on the carriers, or not at all; assertions on; the ring operations printed at exit. */
    public static List<String> agent(String... more) {
        var options =
                new ArrayList<>(
                        List.of(
                                "-ea",
                                "-javaagent:" + jar(),
                                "-Dloomuring.mode=required",
                                "-Dloomuring.report=true"));
        options.addAll(List.of(more));
        return options;
    }

    /** As {@link #agent}, but by the provider's property: the jar must be on the class path. */
    static List<String> provider(String... more) {
        var options =
                new ArrayList<>(
                        List.of(
                                "-ea",
                                "-Djava.nio.channels.spi.SelectorProvider=" + PROVIDER,
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dloomuring.mode=required",
                                "-Dloomuring.report=true"));
        options.addAll(List.of(more));
        return options;
    }

    private List<String> collect(InputStream stream) {
        var lines = new ArrayList<String>();
        Thread reader =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            try (var in =
                                    new BufferedReader(
                                            new InputStreamReader(
                                                    stream, StandardCharsets.UTF_8))) {
                                String line;
                                while ((line = in.readLine()) != null) {
                                    synchronized (lines) {
                                        lines.add(line);
                                        lines.notifyAll();
                                    }
                                }
                            } catch (IOException e) {
                                // the process has ended
                            }
                        });
        readers.add(reader);
        return lines;
    }

    public long pid() {
        return process.pid();
    }

    /** Sends it a signal, such as {@code STOP}. */
    public void signal(String name) throws IOException, InterruptedException {
        int exit =
                new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                        .inheritIO()
                        .start()
                        .waitFor();
        assertThat(exit).isZero();
    }

    /** What jcmd prints of the scheduler of its virtual threads. */
    String scheduler() throws IOException, InterruptedException {
        Process jcmd =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                                Long.toString(pid()),
                                "Thread.vthread_scheduler")
                        .start();
        String output = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jcmd.waitFor()).as(output).isZero();
        return output;
    }

    /** Sends a line to the program. */
    public void tell(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the child is gone: " + this, e);
        }
    }

    /** Waits for the next line of output. */
    public String nextLine() {
        Patience.await(
                () -> "no further line from " + this,
                LINE_WAIT,
                () -> outputLines().size() > linesTaken || (!process.isAlive() && ended()));
        List<String> lines = outputLines();
        if (lines.size() <= linesTaken) {
            throw new AssertionError("the child ended: " + this);
        }
        return lines.get(linesTaken++);
    }

    private boolean ended() {
        Patience.join(readers, EXIT_WAIT);
        return true;
    }

    /** Waits until it has ended by itself, and been read to the end; the exit code. */
    public int awaitExit() {
        try {
            if (!process.waitFor(EXIT_WAIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("did not end: " + this);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        ended();
        return process.exitValue();
    }

    /** Ends its standard input, which ends the tests' programs, and waits. */
    public int end() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // it has ended already
        }
        return awaitExit();
    }

    List<String> outputLines() {
        return copy(output);
    }

    public List<String> errorLines() {
        return copy(errors);
    }

    private static List<String> copy(List<String> lines) {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** The ring operations that it reported at its end. */
    public long ringOperations() {
        String prefix = "loom-uring: ring operations: ";
        return errorLines().stream()
                .filter(line -> line.startsWith(prefix))
                .mapToLong(line -> Long.parseLong(line.substring(prefix.length())))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no ring operations reported: " + this));
    }

    @Override
    public String toString() {
        return process.info().commandLine().orElse("process " + process.pid())
                + "\noutput: "
                + String.join("\n", outputLines())
                + "\nerrors: "
                + String.join("\n", errorLines());
    }

    @Override
    public void close() {
        process.destroyForcibly();
        awaitExit();
    }
}
