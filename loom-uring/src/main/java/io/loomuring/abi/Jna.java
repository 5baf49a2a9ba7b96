package io.loomuring.abi;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

    /** By these an application tells its own JNA where its native library is; ours lies here. */
    private static final List<String> PROPERTIES =
            List.of(
                    "jna.boot.library.name",
                    "jna.boot.library.path",
                    "jna.nosys",
                    "jna.noclasspath",
                    "jna.nounpack");

    private static final ClassLoader LOADER = new Loader(Jna.class.getClassLoader());

    /**
     * Unpacks a library of ours, has JNI load it and JNA bind a class's native methods to it.
     *
     * @throws IOException if it can't be unpacked
     * @throws UnsatisfiedLinkError if it, or JNA's own, can't be loaded
     */
    static void load(String name, Loading jni, Class<?> holder) throws IOException {
        Map<String, String> hidden = hideProperties();
        try {
            Class<?> jna = jnaClass("com.sun.jna.Native");
            var library =
                    (File)
                            jna.getMethod(
                                            "extractFromResourcePath",
                                            String.class,
                                            ClassLoader.class)
                                    .invoke(null, name, holder.getClassLoader());
            jni.load(library);
            Class<?> libraries = jnaClass("com.sun.jna.NativeLibrary");
            Object bound =
                    libraries
                            .getMethod("getInstance", String.class)
                            .invoke(null, library.getAbsolutePath());
            jna.getMethod("register", Class.class, libraries).invoke(null, holder, bound);
        } catch (InvocationTargetException e) {
            switch (e.getCause()) {
                case IOException thrown -> throw thrown;
                case Error thrown -> throw thrown;
                default -> throw new IOException(e.getCause());
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("JNA is not complete", e);
        } finally {
            System.getProperties().putAll(hidden);
        }
    }

    /** {@code System.load}, called by the class whose native methods it serves. */
    @FunctionalInterface
    interface Loading {
        void load(File library);
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

        Loader(ClassLoader own) {
            super("loom-uring-jna", ClassLoader.getPlatformClassLoader());
            this.own = own;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            String file = FOLDER + name.replace('.', '/') + ".class";
            try (InputStream in = own.getResourceAsStream(file)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }

        @Override
        protected URL findResource(String name) {
            return own.getResource(FOLDER + name);
        }
    }
}
