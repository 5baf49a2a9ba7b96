package io.loomuring.it.program;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs a program in a class loader of its own, as the launchers of fat jars and application servers
 * do. Arguments: the loader's parent, {@code platform} or {@code system}; the class path; the main
 * class.
 */
public final class HidingLauncher {
    private HidingLauncher() {}

    public static void main(String[] arguments) throws Exception {
        ClassLoader parent =
                arguments[0].equals("platform")
                        ? ClassLoader.getPlatformClassLoader()
                        : ClassLoader.getSystemClassLoader();
        String[] files = arguments[1].split(File.pathSeparator, -1);
        var urls = new URL[files.length];
        for (int i = 0; i < files.length; i++) {
            urls[i] = Path.of(files[i]).toUri().toURL();
        }
        try (var loader = new URLClassLoader("child", urls, parent)) {
            Thread.currentThread().setContextClassLoader(loader);
            String[] rest = Arrays.copyOfRange(arguments, 3, arguments.length);
            loader.loadClass(arguments[2])
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) rest);
        }
    }
}
