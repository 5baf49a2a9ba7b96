package io.loomuring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the kernel says of itself and of this process without being asked through io_uring: the
 * circumstances that tell one refusal from another. Texts are as {@code /proc} has them, empty if
 * it doesn't.
 *
 * @param kernel the kernel's release
 * @param ioUringDisabled sysctl {@code kernel.io_uring_disabled}; kernels before 6.6 have none
 * @param seccompFilter whether a seccomp filter watches this thread
 * @param lockedMemory the limit of locked memory, in bytes or {@code unlimited}
 * @param openFiles the limit of open files
 */
record Machine(
        String kernel,
        String ioUringDisabled,
        boolean seccompFilter,
        String lockedMemory,
        String openFiles) {

    private static final String SECCOMP_MODE_FILTER = "2";

    static Machine read() {
        return new Machine(
                System.getProperty("os.version"),
                text("/proc/sys/kernel/io_uring_disabled"),
                find("/proc/thread-self/status", "Seccomp:\\s*(\\d+)").equals(SECCOMP_MODE_FILTER),
                find("/proc/self/limits", "Max locked memory\\s+(\\S+)"),
                find("/proc/self/limits", "Max open files\\s+(\\S+)"));
    }

    /** The stripped text of a file of {@code /proc} or {@code /sys}; empty if it can't be read. */
    static String text(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private static String find(String file, String pattern) {
        return Optional.of(Pattern.compile(pattern).matcher(text(file)))
                .filter(Matcher::find)
                .map(matcher -> matcher.group(1))
                .orElse("");
    }
}
