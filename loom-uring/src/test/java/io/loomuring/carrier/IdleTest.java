package io.loomuring.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.LoomUring;
import io.loomuring.testing.Await;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Carriers with nothing to do, and what they hold. */
class IdleTest {
    private static final long LOOK_MILLIS = 300;
    private static final long O_CLOEXEC = 0_2000000; // fcntl.h

    @BeforeAll
    static void install() {
        Installed.install(2, true);
    }

    @Test
    void shouldNotWakeWhenThereIsNothingToDo() throws Exception {
        Running.onVirtual(() -> Thread.sleep(1)).result();
        Await.until("the watchdog sleeps", () -> watchdog().getState() == Thread.State.WAITING);
        Map<String, Long> before = contextSwitches();
        long enters = LoomUring.counters().enters;
        Thread.sleep(LOOK_MILLIS); // what is looked at is this time
        assertThat(LoomUring.counters().enters).isEqualTo(enters);
        assertThat(contextSwitches()).isEqualTo(before);
    }

    private static Thread watchdog() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread instanceof Watchdog)
                .findFirst()
                .orElseThrow();
    }

    /** How often the kernel has switched away from each of our threads. */
    private static Map<String, Long> contextSwitches() throws IOException {
        var switches = new TreeMap<String, Long>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                List<String> status = Files.readAllLines(task.resolve("status"));
                if (field(status, "Name:").startsWith("loom-uring-")) {
                    long voluntary = Long.parseLong(field(status, "voluntary_ctxt_switches:"));
                    switches.put(task.getFileName().toString(), voluntary);
                }
            }
        }
        assertThat(switches).as("carriers and watchdog").hasSize(3);
        return switches;
    }

    private static String field(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldCloseItsDescriptorsInAChildProcess() throws IOException {
        int ofOurs = 0;
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (isOfOurs(descriptor)) {
                    Path info = Path.of("/proc/self/fdinfo", descriptor.getFileName().toString());
                    long flags = Long.parseLong(field(Files.readAllLines(info), "flags:"), 8);
                    assertThat(flags & O_CLOEXEC).as(descriptor.toString()).isNotZero();
                    ofOurs++;
                }
            }
        }
        assertThat(ofOurs).as("a ring and an eventfd for each carrier").isEqualTo(4);
    }

    private static boolean isOfOurs(Path descriptor) throws IOException {
        if (!Files.isSymbolicLink(descriptor)) {
            return false; // the one that lists them
        }
        String target = Files.readSymbolicLink(descriptor).toString();
        return target.equals("anon_inode:[io_uring]") || target.equals("anon_inode:[eventfd]");
    }
}
