package io.loomuring.jdk;

import static java.lang.invoke.MethodType.methodType;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import sun.nio.ch.FileChannelImpl;
import sun.nio.ch.IOUtil;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;

/**
 * The bracket around a use of a file channel's descriptor, as the JDK has it: close signals the
 * threads that are in between and waits for them.
 */
public final class FileTransfers {
    private FileTransfers() {}

    /** Of {@code FileChannelImpl}; loaded once {@link #check} has seen that all is there. */
    private static final class Handles {
        static final MethodHandle BEGIN_BLOCKING;
        static final MethodHandle END_BLOCKING;
        static final MethodHandle BEFORE_TRANSFER;
        static final MethodHandle AFTER_TRANSFER;
        static final VarHandle FD;

        static {
            try {
                var type = FileChannelImpl.class;
                var lookup = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
                BEGIN_BLOCKING = lookup.findVirtual(type, "beginBlocking", methodType(void.class));
                END_BLOCKING =
                        lookup.findVirtual(
                                type, "endBlocking", methodType(void.class, boolean.class));
                BEFORE_TRANSFER = lookup.findVirtual(type, "beforeTransfer", methodType(int.class));
                AFTER_TRANSFER =
                        lookup.findVirtual(
                                type,
                                "afterTransfer",
                                methodType(void.class, boolean.class, int.class));
                FD = lookup.findVarHandle(type, "fd", FileDescriptor.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    /**
     * Checks that {@code FileChannelImpl} has the shape of JDK 25.
     *
     * @throws UnsupportedJdkException if not
     */
    static void check() throws UnsupportedJdkException {
        Class<?> type = FileChannelImpl.class;
        Redefinition.checkMethod(type, void.class, "beginBlocking");
        Redefinition.checkMethod(type, void.class, "endBlocking", boolean.class);
        Redefinition.checkMethod(type, int.class, "beforeTransfer");
        Redefinition.checkMethod(type, void.class, "afterTransfer", boolean.class, int.class);
        Redefinition.checkField(type, FileDescriptor.class, "fd");
    }

    /**
     * The calling thread is about to use the file's descriptor.
     *
     * @return what to tell {@link #end}
     * @throws java.nio.channels.ClosedChannelException if the file is closed
     */
    public static int begin(FileChannel file) throws IOException {
        var channel = (FileChannelImpl) file;
        try {
            Handles.BEGIN_BLOCKING.invokeExact(channel);
            boolean begun = false;
            try {
                int thread = (int) Handles.BEFORE_TRANSFER.invokeExact(channel);
                begun = true;
                return thread;
            } finally {
                if (!begun) {
                    Handles.END_BLOCKING.invokeExact(channel, false);
                }
            }
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }

    /** The file's descriptor, between {@link #begin} and {@link #end}. */
    public static int fdVal(FileChannel file) {
        return IOUtil.fdVal((FileDescriptor) Handles.FD.get((FileChannelImpl) file));
    }

    /**
     * The calling thread is done.
     *
     * @param completed whether it succeeded
     * @throws java.nio.channels.AsynchronousCloseException if not, and the file is closed
     * @throws java.nio.channels.ClosedByInterruptException if the thread was interrupted
     */
    public static void end(FileChannel file, boolean completed, int thread) throws IOException {
        var channel = (FileChannelImpl) file;
        try {
            try {
                Handles.AFTER_TRANSFER.invokeExact(channel, completed, thread);
            } finally {
                Handles.END_BLOCKING.invokeExact(channel, completed);
            }
        } catch (Throwable e) {
            throw SunNet.thrown(e);
        }
    }
}
