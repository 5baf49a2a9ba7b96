package io.loomuring.abi;

import io.loomuring.abi.LibraryFiles.Resource;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * JNA in a class loader of its own, from a folder of this jar that no class path reaches: an
 * application's JNA, whatever its version and place on the class path, never meets ours.
 *
 * <p>JNA's native library is bound to its version and to its package name, so moving JNA to another
 * package wouldn't do: see 005-own-jna in docs/decisions.
 */
final class Jna {
    private Jna() {}

    private static final String FOLDER = "META-INF/loom-uring/"; // see loom-uring/pom.xml

    private static final String JNA_FOLDER = "jna.boot.library.path";

    /** By these an application tells its own JNA where its native library is; ours lies here. */
    private static final List<String> PROPERTIES =
            List.of(
                    "jna.boot.library.name",
                    JNA_FOLDER,
                    "jna.nosys",
                    "jna.noclasspath",
                    "jna.nounpack");

    private static final String LOGGING = "java.util.logging.";

    /** Stand-ins, of a name of the same length. */
    private static final String MUTE = "io.loomuring.mute.";

    private static final ClassLoader LOADER = new Loader(Jna.class.getClassLoader());

    /** The name of this platform in the paths of libraries: {@code linux-x86-64} and so on. */
    static String platform() {
        try {
            return (String) jnaClass("com.sun.jna.Platform").getField("RESOURCE_PREFIX").get(null);
        } catch (ReflectiveOperationException e) {
            throw incomplete(e);
        }
    }

    /**
     * Has JNA bind a class's native methods to a library that is loaded.
     *
     * @param inMemory whether libraries can't be loaded from {@code files} themselves
     * @throws IOException if JNA's own library can't be unpacked
     * @throws UnsatisfiedLinkError if it can't be loaded
     */
    static void bind(Class<?> holder, Resource library, LibraryFiles files, boolean inMemory)
            throws IOException {
        var dispatch =
                new Resource(
                        "/"
                                + FOLDER
                                + "com/sun/jna/"
                                + platform()
                                + "/"
                                + System.mapLibraryName("jnidispatch"));
        if (inMemory) {
            files.moveToMemory(dispatch);
        } else {
            files.unpack(dispatch);
        }
        Map<String, String> hidden = hideProperties();
        System.setProperty(JNA_FOLDER, files.folder().toString());
        try {
            // Not by Class.getMethod, which resolves what every method of a class mentions, and
            // JNA has some for java.awt.
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            Class<?> libraries = jnaClass("com.sun.jna.NativeLibrary");
            Object bound =
                    lookup.findStatic(
                                    libraries,
                                    "getInstance",
                                    MethodType.methodType(libraries, String.class))
                            .invoke(files.folder().resolve(library.fileName()).toString());
            lookup.findStatic(
                            jnaClass("com.sun.jna.Native"),
                            "register",
                            MethodType.methodType(void.class, Class.class, libraries))
                    .invoke(holder, bound);
        } catch (ReflectiveOperationException e) {
            throw incomplete(e);
        } catch (Error | IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException(e);
        } finally {
            System.clearProperty(JNA_FOLDER);
            System.getProperties().putAll(hidden);
        }
    }

    private static LinkageError incomplete(ReflectiveOperationException e) {
        return new LinkageError("JNA is not complete", e);
    }

    static Class<?> jnaClass(String name) throws ClassNotFoundException {
        return Class.forName(name, true, LOADER);
    }

    private static Map<String, String> hideProperties() {
        var hidden = new HashMap<String, String>();
        for (String name : PROPERTIES) {
            String value = System.clearProperty(name);
            if (value != null) {
                hidden.put(name, value);
            }
        }
        return hidden;
    }

    private static final class Loader extends ClassLoader {
        private final ClassLoader own;
        private final JarFile jar; // the loader's own, which stays open; null if it has none
        private final boolean mute = ModuleLayer.boot().findModule("java.logging").isEmpty();

        Loader(ClassLoader own) {
            super("loom-uring-jna", ClassLoader.getPlatformClassLoader());
            this.own = own;
            jar = jarOf(own.getResource(FOLDER + "com/sun/jna/Native.class"));
        }

        private static JarFile jarOf(URL resource) {
            try {
                return resource != null && resource.openConnection() instanceof JarURLConnection jar
                        ? jar.getJarFile()
                        : null;
            } catch (IOException e) {
                return null;
            }
        }

        /** From the jar itself: a connection for each class takes 40 ms of a start. */
        private InputStream open(String file) throws IOException {
            if (jar == null) {
                return own.getResourceAsStream(file);
            }
            JarEntry entry = jar.getJarEntry(file);
            return entry == null ? null : jar.getInputStream(entry);
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (name.startsWith(MUTE)) {
                return own.loadClass(name);
            }
            String file = FOLDER + name.replace('.', '/') + ".class";
            try (InputStream in = open(file)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                if (mute) {
                    bytes = withoutLogging(bytes);
                }
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }

        /** Edited in place: nothing else in a class file depends on what a name is. */
        private static byte[] withoutLogging(byte[] classFile) {
            return new String(classFile, StandardCharsets.ISO_8859_1)
                    .replace(LOGGING.replace('.', '/'), MUTE.replace('.', '/'))
                    .getBytes(StandardCharsets.ISO_8859_1);
        }

        @Override
        protected URL findResource(String name) {
            return own.getResource(FOLDER + name);
        }
    }
}
