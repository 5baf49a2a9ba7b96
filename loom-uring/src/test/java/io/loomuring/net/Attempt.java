package io.loomuring.net;

import io.loomuring.abi.Shim;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A call in a thread of its own, and what became of it. */
public final class Attempt<T> {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final String JDK_CHANNELS = "sun.nio.";
    private static final String OUR_FILES = "io.loomuring.file.";
    private static final Set<String> OUR_SOCKETS =
            Stream.of(
                            FdLife.class,
                            Connection.class,
                            StreamSocket.class,
                            ListeningSocket.class,
                            PipeEnd.class,
                            UdpSocket.class)
                    .map(Class::getName)
                    .collect(Collectors.toSet());

    private static final Set<String> BLOCKING_CALLS =
            Set.of("recv", "recvmsg", "send", "sendfile", "poll");

    private final CompletableFuture<T> outcome = new CompletableFuture<>();
    private final Thread thread;
    private volatile boolean interrupted;

    private Attempt(ThreadKind kind, Callable<T> body) {
        thread =
                kind.start(() -> {
                    try {
                        T result = body.call();
                        interrupted = Thread.currentThread().isInterrupted();
                        outcome.complete(result);
                    } catch (Throwable e) {
                        interrupted = Thread.currentThread().isInterrupted();
                        outcome.completeExceptionally(e);
                    }
                });
    }

    /** Starts a thread that makes the call. */
    public static <T> Attempt<T> start(ThreadKind kind, Callable<T> body) {
        return new Attempt<>(kind, body);
    }

    public Thread thread() {
        return thread;
    }

    public boolean isDone() {
        return outcome.isDone();
    }

    /** Whether the interrupt status was set when the call ended. */
    public boolean endedInterrupted() {
        return interrupted;
    }

    /** Waits until the call waits for the kernel or for its turn. */
    public Attempt<T> awaitBlocked() {
        eventually("blocked", () -> isDone() || isBlocked());
        if (isDone()) {
            throw new AssertionError("did not block: " + outcome);
        }
        return this;
    }

    private boolean isBlocked() {
        StackTraceElement[] stack = thread.getStackTrace();
        boolean jdk = Arrays.stream(stack).anyMatch(f -> f.getClassName().startsWith(JDK_CHANNELS));
        boolean ours = Arrays.stream(stack).anyMatch(f -> isOurs(f.getClassName()));
        return switch (thread.getState()) {
            case WAITING, TIMED_WAITING, BLOCKED -> jdk || ours;
            case RUNNABLE ->
                    stack.length > 0
                            && stack[0].isNativeMethod()
                            && (jdk || (ours && isInBlockingCall(stack[0]) && isStill(stack)));
            default -> false;
        };
    }

    private static boolean isOurs(String type) {
        return OUR_SOCKETS.contains(type)
                || (type.startsWith(OUR_FILES) && !type.endsWith("Test") && !type.contains("$"));
    }

    /** A platform thread's system call, as far as its name tells. */
    private static boolean isInBlockingCall(StackTraceElement top) {
        return top.getClassName().equals(Shim.class.getName())
                && BLOCKING_CALLS.contains(top.getMethodName());
    }

    /** It may be a call that ends at once. */
    private boolean isStill(StackTraceElement[] stack) {
        LockSupport.parkNanos(1_000_000);
        return Arrays.equals(stack, thread.getStackTrace());
    }

    /** The result, or what the call threw. */
    public T get() throws Exception {
        try {
            return outcome.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Exception cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw e;
            }
        } catch (TimeoutException e) {
            var error = new AssertionError("still running");
            error.setStackTrace(thread.getStackTrace());
            throw error;
        }
    }

    /** What the call threw. */
    public Throwable failure() {
        try {
            T result = get();
            throw new AssertionError("returned " + result);
        } catch (Exception e) {
            return e;
        }
    }

    /** Waits for a condition, for some time. */
    static void eventually(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new AssertionError("not after " + PATIENCE + ": " + what);
            }
            LockSupport.parkNanos(200_000);
        }
    }
}
