package io.loomuring.testing;

import jdk.internal.vm.Continuation;

import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** What keeps a virtual thread on its carrier. */
public enum Pin {
    CRITICAL_SECTION {
        @Override
        void run(Runnable body) {
            Continuation.pin();
            try {
                body.run();
            } finally {
                Continuation.unpin();
            }
        }
    },

    /** {@code qsort} of two bytes, whose comparison is the body. */
    NATIVE_FRAME {
        @Override
        @SuppressWarnings("restricted") // native code is what it is about
        void run(Runnable body) throws Throwable {
            MethodHandle compare =
                    MethodHandles.lookup()
                            .bind(
                                    new Comparison(body),
                                    "compare",
                                    MethodType.methodType(
                                            int.class, MemorySegment.class, MemorySegment.class));
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment callback = LINKER.upcallStub(compare, COMPARE, arena);
                QSORT.invokeExact(arena.allocate(2), 2L, 1L, callback);
            }
        }
    },

    /** A class whose initialiser is the body, defined anew each time. */
    CLASS_INITIALISER {
        @Override
        void run(Runnable body) throws Exception {
            BODY.set(body);
            String file = ClassWithInitialiser.class.getSimpleName() + ".class";
            try (InputStream bytes = Pin.class.getResourceAsStream(file)) {
                MethodHandles.lookup().defineHiddenClass(bytes.readAllBytes(), true);
            }
        }
    };

    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor COMPARE =
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);

    @SuppressWarnings("restricted") // as above
    private static final MethodHandle QSORT =
            LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow("qsort"),
                    FunctionDescriptor.ofVoid(
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));

    /** What the calling thread's {@link ClassWithInitialiser} runs. */
    static final ThreadLocal<Runnable> BODY = new ThreadLocal<>();

    private record Comparison(Runnable body) {
        @SuppressWarnings("unused") // qsort names it, and passes what it compares
        int compare(MemorySegment first, MemorySegment second) {
            body.run();
            return 0;
        }
    }

    abstract void run(Runnable body) throws Throwable;

    /** Runs a body with the calling virtual thread pinned. */
    public <T> T call(Callable<T> body) throws Exception {
        var task = new FutureTask<T>(body); // keeps an exception from native code
        try {
            run(task);
        } catch (Throwable e) {
            throw new AssertionError("not pinned by " + this, e);
        }
        return task.get();
    }
}
