package io.loomuring.testing;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts JVMs as inetd starts servers: a descriptor of ours is all three standard streams. */
public final class Inetd {
    private Inetd() {}

    private static final int FILE_ACTIONS_BYTES = 256; // sizeof(posix_spawn_file_actions_t) is less
    private static final int STANDARD_STREAMS = 3;

    /** Starts a JVM of the kind that runs this; its number. */
    public static int start(int fd, List<String> options) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        try (Arena arena = Arena.ofConfined()) {
            long actions = arena.allocate(FILE_ACTIONS_BYTES, Long.BYTES).address();
            check(Libc.posix_spawn_file_actions_init(actions));
            for (int stream = 0; stream < STANDARD_STREAMS; stream++) {
                check(Libc.posix_spawn_file_actions_adddup2(actions, fd, stream));
            }
            MemorySegment argv = arena.allocate(ValueLayout.ADDRESS, command.size() + 1);
            for (int i = 0; i < command.size(); i++) {
                argv.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(command.get(i)));
            }
            MemorySegment envp = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
            check(
                    Libc.posix_spawn(
                            pid.address(),
                            argv.getAtIndex(ValueLayout.ADDRESS, 0).address(),
                            actions,
                            0,
                            argv.address(),
                            envp.address()));
            return pid.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static void check(int error) {
        if (error != 0) {
            throw new AssertionError("error " + error);
        }
    }

    /** Waits for the end of a process that was started here; its status, as {@code wait} tells. */
    public static int statusOf(int pid) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
            Libc.waitpid(pid, status.address(), 0);
            return status.get(ValueLayout.JAVA_INT, 0);
        }
    }
}
