package io.loomuring.tls;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM under the agent, in mode required. */
final class ChildJvm {
    private ChildJvm() {}

    /**
     * Starts it.
     *
     * @param options of the JVM
     * @param arguments of the program
     */
    static OpenSsl start(
            String classPath, Class<?> program, List<String> options, String... arguments)
            throws IOException {
        var command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-javaagent:" + System.getProperty("loomuring.jar"),
                                "-Dloomuring.mode=required"));
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, program.getName()));
        command.addAll(List.of(arguments));
        return OpenSsl.start(command);
    }

    static String testClasses() {
        return ChildJvm.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    }

    /** With the jar alone: what it needs is named in its manifest. */
    static String withJar() {
        return testClasses() + File.pathSeparator + System.getProperty("conscrypt-ktls.jar");
    }

    /** With what the tests have, besides. */
    static String withLibraries() {
        return withJar() + File.pathSeparator + System.getProperty("java.class.path");
    }
}
