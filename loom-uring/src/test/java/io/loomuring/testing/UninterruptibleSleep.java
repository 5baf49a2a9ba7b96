package io.loomuring.testing;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.StringArray;
import com.sun.jna.ptr.IntByReference;

import io.loomuring.abi.Native;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A sleep in the kernel that no signal gets through, in which no task work runs. */
public final class UninterruptibleSleep implements AutoCloseable {
    private static final NativeLibrary C = NativeLibrary.getInstance("c");
    private static final int FILE_ACTIONS_BYTES = 256; // glibc's takes 80
    private static final int O_RDONLY = 0;

    private final Path fifo;

    /** Starts a process: the child of a thread that sleeps so already would be in its way. */
    public UninterruptibleSleep() throws IOException, InterruptedException {
        fifo = Files.createTempDirectory("sleep").resolve("fifo");
        if (new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor() != 0) {
            throw new IOException("no " + fifo);
        }
    }

    /**
     * Sleeps until another thread says {@link #end}: {@code posix_spawn(3)} of a child that opens a
     * FIFO before it executes its program, which the caller waits for as for {@code vfork(2)}.
     */
    public void sleep() {
        var program = "/bin/true";
        var argv = new StringArray(new String[] {program});
        var pid = new IntByReference();
        try (var actions = new Memory(FILE_ACTIONS_BYTES)) {
            call("posix_spawn_file_actions_init", actions);
            call("posix_spawn_file_actions_addopen", actions, 0, fifo.toString(), O_RDONLY, 0);
            call("posix_spawn", pid, program, actions, null, argv, null);
            call("posix_spawn_file_actions_destroy", actions);
        }
        function("waitpid").invokeInt(new Object[] {pid.getValue(), null, 0});
    }

    /** Ends the sleep; waits for its beginning. */
    public void end() throws IOException {
        new FileOutputStream(fifo.toFile()).close();
    }

    @Override
    public void close() throws IOException {
        Files.delete(fifo);
        Files.delete(fifo.getParent());
    }

    /** How many threads of this process sleep so. */
    public static int sleepers() {
        int sleepers = 0;
        for (String tid : new File("/proc/self/task").list()) {
            sleepers += Native.lu_thread_state(Integer.parseInt(tid)) == 'D' ? 1 : 0;
        }
        return sleepers;
    }

    private static Function function(String name) {
        return C.getFunction(name);
    }

    private static void call(String name, Object... arguments) {
        int error = function(name).invokeInt(arguments);
        if (error != 0) {
            throw new AssertionError(name + ": error " + error);
        }
    }
}
