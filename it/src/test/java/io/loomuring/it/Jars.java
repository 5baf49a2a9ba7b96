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
public final class Jars {
    private Jars() {}

    /** A jar of these classes and the classes within them. */
    static String of(Path jar, Class<?>... classes) {
        return write(jar, new Manifest(), classes);
    }

    /** The jar of an agent that may retransform. */
    public static String agent(Path jar, Class<?> agent) {
        var manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.putValue("Premain-Class", agent.getName());
        attributes.putValue("Can-Retransform-Classes", "true");
        return write(jar, manifest, agent);
    }

    /** A jar in the layout of Spring Boot: classes in one folder, a library's jar in another. */
    static String fat(Path jar, Path library, Class<?>... classes) {
        try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry("BOOT-INF/lib/" + library.getFileName()));
            Files.copy(library, out);
            for (Class<?> type : classes) {
                add(out, "BOOT-INF/classes/", type);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar.toString();
    }

    private static String write(Path jar, Manifest manifest, Class<?>... classes) {
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        try (var out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (Class<?> type : classes) {
                add(out, "", type);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar.toString();
    }

    private static void add(JarOutputStream out, String folder, Class<?> type) throws IOException {
        String name = type.getName().replace('.', '/') + ".class";
        try (InputStream in = type.getClassLoader().getResourceAsStream(name)) {
            out.putNextEntry(new JarEntry(folder + name));
            in.transferTo(out);
            out.closeEntry();
        }
        for (Class<?> member : type.getDeclaredClasses()) {
            add(out, folder, member);
        }
    }
}
