package io.loomuring.it.bench.stall;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** How a virtual thread keeps its carrier for a time. */
public enum Hog {
    COMPUTES("computes") {
        @Override
        void hog(long nanos) {
            long end = System.nanoTime() + nanos;
            while (System.nanoTime() - end < 0) {
                Thread.onSpinWait();
            }
        }
    },

    SLEEPS_IN_NATIVE_CODE("sleeps in native code") {
        @Override
        void hog(long nanos) throws Throwable {
            int rest = (int) Native.USLEEP.invokeExact((int) (nanos / 1_000));
            assert rest == 0;
        }
    },

    PARKS_IN_INITIALISER("parks in a class initialiser") {
        @Override
        void hog(long nanos) throws Throwable {
            BODY.set(() -> park(nanos));
            String file = Initialised.class.getSimpleName() + ".class";
            try (InputStream bytes = Hog.class.getResourceAsStream(file)) {
                MethodHandles.lookup().defineHiddenClass(bytes.readAllBytes(), true);
            }
        }
    },

    PARKS_IN_UPCALL("parks in an upcall") {
        @Override
        @SuppressWarnings("restricted") // native code is what it is about
        void hog(long nanos) throws Throwable {
            MethodHandle compare =
                    MethodHandles.lookup()
                            .bind(
                                    new Comparison(() -> park(nanos)),
                                    "compare",
                                    MethodType.methodType(
                                            int.class, MemorySegment.class, MemorySegment.class));
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment callback = Native.LINKER.upcallStub(compare, Native.COMPARE, arena);
                Native.QSORT.invokeExact(arena.allocate(2), 2L, 1L, callback);
            }
        }
    },

    OPENS_FIFO("opens a FIFO") {
        @Override
        void hog(long nanos) throws Throwable {
            Path fifo = newFifo();
            openForWritingAfter(fifo, nanos);
            new FileInputStream(fifo.toFile()).close();
            deleteFifo(fifo);
        }
    },

    /** A section that the JDK knows to block. */
    READS_PROCESS("reads a process's output") {
        @Override
        void hog(long nanos) throws Throwable {
            var process = new ProcessBuilder("sleep", "%.3f".formatted(nanos / 1e9)).start();
            int end = process.getInputStream().read();
            assert end < 0;
        }
    },

    /**
     * {@code posix_spawn(3)} of a child that opens a FIFO before it executes its program: the
     * caller waits for it as for {@code vfork(2)}, and no signal gets through.
     */
    SLEEPS_UNINTERRUPTIBLY("sleeps uninterruptibly") {
        @Override
        void hog(long nanos) throws Throwable {
            Path fifo = newFifo();
            openForWritingAfter(fifo, nanos);
            Native.spawnAfterOpening(fifo);
            deleteFifo(fifo);
        }
    };

    /** What the calling thread's {@link Initialised} runs. */
    static final ThreadLocal<Runnable> BODY = new ThreadLocal<>();

    private final String label;

    Hog(String label) {
        this.label = label;
    }

    /** What it does. */
    public String label() {
        return label;
    }

    /** Keeps the carrier of the calling virtual thread. */
    abstract void hog(long nanos) throws Throwable;

    private static void park(long nanos) {
        long end = System.nanoTime() + nanos;
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }

    private static Path newFifo() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("stall");
        Path fifo = folder.resolve("fifo");
        int exit = new ProcessBuilder("mkfifo", fifo.toString()).inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IOException("mkfifo " + fifo + ": exit " + exit);
        }
        return fifo;
    }

    private static void deleteFifo(Path fifo) throws IOException {
        Files.delete(fifo);
        Files.delete(fifo.getParent());
    }

    private static void openForWritingAfter(Path fifo, long nanos) {
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    park(nanos);
                    try {
                        new FileOutputStream(fifo.toFile()).close();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    /** {@code qsort(3)}'s. */
    private record Comparison(Runnable body) {
        @SuppressWarnings("unused") // qsort names it, and passes what it compares
        int compare(MemorySegment first, MemorySegment second) {
            body.run();
            return 0;
        }
    }

    @SuppressWarnings("restricted") // native code is what it is about
    private static final class Native {
        private static final int O_RDONLY = 0;
        private static final long FILE_ACTIONS_BYTES = 256; // glibc's takes 80

        static final Linker LINKER = Linker.nativeLinker();
        static final FunctionDescriptor COMPARE =
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
        static final MethodHandle USLEEP =
                function("usleep", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        static final MethodHandle QSORT =
                LINKER.downcallHandle(
                        LINKER.defaultLookup().findOrThrow("qsort"),
                        FunctionDescriptor.ofVoid(
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS));
        private static final MethodHandle INIT =
                function(
                        "posix_spawn_file_actions_init", ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
        private static final MethodHandle ADD_OPEN =
                function(
                        "posix_spawn_file_actions_addopen",
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT);
        private static final MethodHandle SPAWN =
                function(
                        "posix_spawn",
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS);
        private static final MethodHandle WAITPID =
                function(
                        "waitpid",
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT);

        private static MethodHandle function(
                String name, ValueLayout result, ValueLayout... arguments) {
            return LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(result, arguments));
        }

        static void spawnAfterOpening(Path fifo) throws Throwable {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment actions = arena.allocate(FILE_ACTIONS_BYTES);
                MemorySegment program = arena.allocateFrom("/bin/true");
                MemorySegment argv = arena.allocate(2 * ValueLayout.ADDRESS.byteSize());
                argv.set(ValueLayout.ADDRESS, 0, program);
                MemorySegment none = arena.allocate(ValueLayout.ADDRESS);
                MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
                check((int) INIT.invokeExact(actions));
                MemorySegment path = arena.allocateFrom(fifo.toString());
                check((int) ADD_OPEN.invokeExact(actions, 0, path, O_RDONLY, 0));
                check(
                        (int)
                                SPAWN.invokeExact(
                                        pid, program, actions, MemorySegment.NULL, argv, none));
                int child = pid.get(ValueLayout.JAVA_INT, 0);
                int waited = (int) WAITPID.invokeExact(child, MemorySegment.NULL, 0);
                if (waited != child && waited != -1) { // the JDK may have reaped it
                    throw new AssertionError(waited);
                }
            }
        }

        private static void check(int error) {
            if (error != 0) {
                throw new AssertionError("errno " + error);
            }
        }
    }
}
