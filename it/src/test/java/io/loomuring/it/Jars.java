package io.loomuring.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Jars of some of the tests' classes: class data archives and agents want jars. */
final class Jars {
    private Jars() {}

    /** A jar of these classes and the classes within them. */
    static String of(Path jar, Class<?>... classes) {
        return write(jar, new Manifest(), classes);
    }

    /** The jar of an agent that may retransform. */
    static String agent(Path jar, Class<?> agent) {
        var manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.putValue("Premain-Class", agent.getName());
        attributes.putValue("Can-Retransform-Classes", "true");
        return write(jar, manifest, agent);
    }

    private static String write(Path jar, Manifest manifest, Class<?>... classes) {
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (Class<?> type : classes) {
                add(out, type);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar.toString();
    }

    private static void add(JarOutputStream out, Class<?> type) throws IOException {
        String name = type.getName().replace('.', '/') + ".class";
        try (InputStream in = type.getClassLoader().getResourceAsStream(name)) {
            out.putNextEntry(new JarEntry(name));
            in.transferTo(out);
            out.closeEntry();
        }
        for (Class<?> member : type.getDeclaredClasses()) {
            add(out, member);
        }
    }
}
