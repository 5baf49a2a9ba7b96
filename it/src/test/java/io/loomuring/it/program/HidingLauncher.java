package io.loomuring.it.program;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/**
 * Runs a program in a class loader of its own, as the launchers of fat jars and application servers
 * do. Arguments: the loader's parent, {@code platform} or {@code system}; the class path, or a fat
 * jar; the main class.
 */
public final class HidingLauncher {
    private HidingLauncher() {}

    public static void main(String[] arguments) throws Exception {
        ClassLoader parent =
                arguments[0].equals("platform")
                        ? ClassLoader.getPlatformClassLoader()
                        : ClassLoader.getSystemClassLoader();
        ClassLoader loader =
                arguments[1].endsWith("fat.jar")
                        ? new FatJarLoader(Path.of(arguments[1]), parent)
                        : onClassPath(arguments[1], parent);
        Thread.currentThread().setContextClassLoader(loader);
        loader.loadClass(arguments[2])
                .getMethod("main", String[].class)
                .invoke(null, (Object) new String[0]);
    }

    private static ClassLoader onClassPath(String classPath, ClassLoader parent)
            throws IOException {
        String[] files = classPath.split(File.pathSeparator, -1);
        var urls = new URL[files.length];
        for (int i = 0; i < files.length; i++) {
            urls[i] = Path.of(files[i]).toUri().toURL();
        }
        return new URLClassLoader("child", urls, parent);
    }
}
