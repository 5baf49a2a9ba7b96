package io.loomuring.it.program;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The class loader of a jar with {@code BOOT-INF/classes} and jars in {@code BOOT-INF/lib}. */
public final class FatJarLoader extends ClassLoader {
    private static final String CLASSES = "BOOT-INF/classes/";
    private static final String LIB = "BOOT-INF/lib/";

    private final Map<String, byte[]> files = new HashMap<>();

    FatJarLoader(Path jar, ClassLoader parent) throws IOException {
        super("child", parent);
        try (InputStream in = Files.newInputStream(jar)) {
            for (var entry : entries(in).entrySet()) {
                if (entry.getKey().startsWith(CLASSES)) {
                    files.put(entry.getKey().substring(CLASSES.length()), entry.getValue());
                } else if (entry.getKey().startsWith(LIB)) {
                    files.putAll(entries(new ByteArrayInputStream(entry.getValue())));
                }
            }
        }
    }

    private static Map<String, byte[]> entries(InputStream jar) throws IOException {
        var found = new HashMap<String, byte[]>();
        var zip = new ZipInputStream(jar);
        ZipEntry entry;
        while ((entry = zip.getNextEntry()) != null) {
            found.put(entry.getName(), zip.readAllBytes());
        }
        return found;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] bytes = files.get(name.replace('.', '/') + ".class");
        if (bytes == null) {
            throw new ClassNotFoundException(name);
        }
        return defineClass(name, bytes, 0, bytes.length);
    }

    @Override
    protected URL findResource(String name) {
        byte[] bytes = files.get(name);
        if (bytes == null) {
            return null;
        }
        try {
            return URL.of(URI.create("nested:/" + name), new Bytes(bytes));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A protocol that nobody else knows. */
    private static final class Bytes extends URLStreamHandler {
        private final byte[] bytes;

        Bytes(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        protected URLConnection openConnection(URL url) {
            return new Connection(url, bytes);
        }
    }

    private static final class Connection extends URLConnection {
        private final byte[] bytes;

        Connection(URL url, byte[] bytes) {
            super(url);
            this.bytes = bytes;
        }

        @Override
        public void connect() {}

        @Override
        public InputStream getInputStream() {
            return new ByteArrayInputStream(bytes);
        }
    }
}
