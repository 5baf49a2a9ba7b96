package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native.LoadError;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.ring.RingException;

import java.util.ArrayList;
import java.util.List;

/**
 * What keeps loom-uring from carrying this JVM: the two halves of the one line that users see.
 *
 * @param reason what failed, and how
 * @param remedy what to do about it
 */
record Obstacle(String reason, String remedy) {
    private static final String NEWER_KERNEL = "use Linux 6.1 or newer";

    private static final String SEE_DOCTOR =
            "run java -jar loom-uring.jar doctor, and report what it prints";

    /** The kernel refuses a ring. */
    static Obstacle of(RingException refusal, Machine machine) {
        return new Obstacle(refusal.getMessage(), remedy(refusal.errno(), machine));
    }

    private static String remedy(int errno, Machine machine) {
        return switch (errno) {
            case Errno.EPERM, Errno.EACCES -> permission(machine);
            case Errno.ENOSYS ->
                    machine.seccompFilter()
                            ? seccompProfile() + ", on Linux 6.1 or newer with CONFIG_IO_URING"
                            : NEWER_KERNEL + " with CONFIG_IO_URING" + thisKernel(machine);
            case Errno.ENOMEM ->
                    "raise the limit of locked memory, now "
                            + machine.lockedMemory()
                            + " bytes for all processes of this user (ulimit -l, LimitMEMLOCK=,"
                            + " docker run --ulimit memlock=-1), or lower loomuring.carriers";
            case Errno.EMFILE, Errno.ENFILE ->
                    "raise the limit of open files, now "
                            + machine.openFiles()
                            + " (ulimit -n, LimitNOFILE=, docker run --ulimit nofile=...)";
            case Errno.EINVAL ->
                    NEWER_KERNEL + ", or other loomuring.ring.flags" + thisKernel(machine);
            default -> SEE_DOCTOR;
        };
    }

    private static String thisKernel(Machine machine) {
        return " (this is Linux " + machine.kernel() + ")";
    }

    /** Sysctl and seccomp refuse by the same error: look which of them is in the way. */
    private static String permission(Machine machine) {
        var remedies = new ArrayList<String>();
        if (machine.ioUringDisabled().equals("1")) {
            remedies.add(
                    "set sysctl kernel.io_uring_disabled=0 (it is 1: only for privileged"
                            + " processes and the group of kernel.io_uring_group)");
        } else if (machine.ioUringDisabled().equals("2")) {
            remedies.add("set sysctl kernel.io_uring_disabled=0 (it is 2: for nobody)");
        }
        if (machine.seccompFilter()) {
            remedies.add(seccompProfile());
        }
        return remedies.isEmpty()
                ? "allow io_uring in this system's security policy (SELinux, AppArmor)"
                : String.join(", and ", remedies);
    }

    private static String seccompProfile() {
        return "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile"
                + " (docker run --security-opt seccomp=PROFILE.json)";
    }

    /** The kernel allows rings, but they can't do what is needed. */
    static Obstacle missing(List<String> features, Machine machine) {
        return new Obstacle(
                "Linux " + machine.kernel() + " lacks " + String.join(", ", features),
                NEWER_KERNEL);
    }

    /** Another JDK than the one that this was made for. */
    static Obstacle of(UnsupportedJdkException mismatch) {
        return new Obstacle(
                mismatch.getMessage() + " (JDK " + Runtime.version() + ")",
                "use JDK 25, or a loom-uring that knows this JDK");
    }

    /** Virtual threads that are platform threads in disguise: no carrier ever runs one. */
    static Obstacle noContinuations() {
        return new Obstacle(
                "this JVM has no continuations, so no virtual threads that a carrier could run",
                "remove -XX:-VMContinuations, or use a JVM that has them on this processor");
    }

    /** The native library, or a class that needs it. */
    static Obstacle of(LinkageError failure) {
        return new Obstacle(
                String.valueOf(failure.getMessage()),
                failure instanceof LoadError unloadable ? unloadable.remedy() : "");
    }

    /** Carriers that can't be started though the kernel allows their rings. */
    static Obstacle ofCarriers(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return new Obstacle(
                "carriers can't be started (" + cause.getMessage() + ")",
                cause instanceof OutOfMemoryError
                        ? "raise the limits of threads (ulimit -u, pids.max) and of memory"
                        : SEE_DOCTOR);
    }

    /** The line, without the name of the speaker. */
    String line() {
        return remedy.isEmpty() ? reason : reason + ": " + remedy;
    }
}
