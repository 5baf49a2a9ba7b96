package io.loomuring.abi;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The native libraries of the jar as files, for the moment in which they are loaded: unpacked to a
 * temporary folder, or {@link #moveToMemory links} from there to memory that no mount option
 * concerns. Containers often have nowhere but {@code noexec} folders to write to.
 */
final class LibraryFiles implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;

    private final Path folder;
    private final List<Integer> memory = new ArrayList<>();

    /**
     * @throws IOException if no temporary folder can be written to
     */
    LibraryFiles() throws IOException {
        folder = newFolder();
    }

    private static Path newFolder() throws IOException {
        IOException first = null;
        for (Path parent : temporaryFolders().toList()) {
            try {
                return Files.createTempDirectory(parent, "loom-uring-");
            } catch (IOException e) {
                first = first == null ? e : first;
            }
        }
        throw Objects.requireNonNull(first);
    }

    /** {@code /dev/shm} is there, and writable, in a container with a read-only root. */
    private static Stream<Path> temporaryFolders() {
        return Stream.of(
                        System.getProperty("jna.tmpdir"),
                        System.getProperty("java.io.tmpdir"),
                        "/dev/shm")
                .filter(Objects::nonNull)
                .map(Path::of);
    }

    Path folder() {
        return folder;
    }

    /** Unpacks a library; returns the file. */
    Path unpack(Resource library) throws IOException {
        Path file = folder.resolve(library.fileName());
        try (InputStream in = library.open()) {
            Files.copy(in, file);
        }
        return file;
    }

    /** Puts a library into memory instead of its file, which becomes a link. */
    Path moveToMemory(Resource library) throws IOException {
        int fd = newMemory(library.fileName());
        memory.add(fd);
        Path memoryFile = Path.of("/proc/self/fd", Integer.toString(fd));
        try (InputStream in = library.open()) {
            Files.write(memoryFile, in.readAllBytes());
        }
        Path link = folder.resolve(library.fileName());
        Files.deleteIfExists(link);
        return Files.createSymbolicLink(link, memoryFile);
    }

    /** An empty file of memory, {@code memfd_create(2)}; by the JDK's means, ours aren't there. */
    @SuppressWarnings("restricted") // loading native code is this project's business
    private static int newMemory(String name) throws IOException {
        int fd;
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            var create =
                    linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("memfd_create"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT));
            fd = (int) create.invokeExact(arena.allocateFrom(name), MFD_CLOEXEC);
        } catch (Throwable e) {
            throw new IOException("no memfd_create: " + e.getMessage(), e);
        }
        if (fd < 0) {
            throw new IOException("memfd_create is refused");
        }
        return fd;
    }

    /** Descriptors of what was moved to memory; for the caller to close once that is loaded. */
    List<Integer> memory() {
        return memory;
    }

    /** Loaded libraries need their files no more. */
    @Override
    public void close() {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            // what is left behind harms nobody
        }
    }

    /** A library in this jar. */
    record Resource(String path) {
        String fileName() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        InputStream open() throws IOException {
            InputStream in = LibraryFiles.class.getResourceAsStream(path);
            if (in == null) {
                throw new IOException("no " + path + " in the jar: not built for this platform");
            }
            return in;
        }
    }
}
