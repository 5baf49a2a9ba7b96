package io.loomuring.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A place in which a process may do less than here, by what comes before its command. What can't be
 * had on this machine skips the test, with the reason.
 */
public record Confinement(String name, List<String> launcher) {
    static final int EPERM = 1;
    static final int ENOMEM = 12;
    static final int EMFILE = 24;
    static final int ENOSYS = 38;

    static final int IO_URING_SETUP = 425;
    static final int IO_URING_ENTER = 426;
    static final int IO_URING_REGISTER = 427;
    static final int MEMFD_CREATE = isAmd64() ? 319 : 279;

    /** Perl can install a seccomp filter, and Debian always has it. */
    private static final String SECCOMP =
            """
            my ($arch, $errno, @calls) = split ",", shift @ARGV;
            my $code = join "", map { pack "SCCL", @$_ }
                [0x20, 0, 0, 0],                                                # the call's number
                (map { [0x15, 0, 1, $_], [0x06, 0, 0, 0x50000 | $errno] } @calls), # that one? errno
                [0x06, 0, 0, 0x7fff0000];                                       # allow
            my $program = pack "Sx6P", length($code) / 8, $code;
            my $prctl = $arch eq "amd64" ? 157 : 167;
            syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!"; # PR_SET_NO_NEW_PRIVS
            syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!"; # PR_SET_SECCOMP, filter
            exec @ARGV or die "exec: $!";
            """;

    private static boolean isAmd64() {
        return System.getProperty("os.arch").equals("amd64");
    }

    /** A seccomp filter that lets calls fail, as container engines do; none: it allows all. */
    static Confinement seccomp(int errno, int... calls) {
        var numbers = new ArrayList<String>(List.of(System.getProperty("os.arch"), "" + errno));
        IntStream.of(calls).forEach(call -> numbers.add("" + call));
        return new Confinement(
                "seccomp " + numbers, List.of("perl", "-e", SECCOMP, String.join(",", numbers)));
    }

    /** Limits as {@code prlimit} takes them, soft and hard at once. */
    public static Confinement limits(String... limits) {
        var launcher = new ArrayList<String>(List.of("prlimit"));
        for (String limit : limits) {
            String value = limit.substring(limit.indexOf('=') + 1);
            launcher.add("--" + limit + ":" + value);
        }
        return new Confinement("limits " + List.of(limits), launcher);
    }

    /** Another user, without capabilities. */
    static Confinement user(int uid) {
        assumeRoot();
        var user =
                new Confinement(
                        "user " + uid,
                        List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups"));
        assumeTrue(
                user.allows("test", "-x", Child.java()),
                () -> "user " + uid + " can't execute this JDK");
        return user;
    }

    /** Root without a capability. */
    static Confinement without(String capability) {
        assumeRoot();
        return new Confinement(
                "without " + capability, List.of("setpriv", "--bounding-set=-" + capability));
    }

    /** A folder mounted with an option, {@code noexec} or {@code ro}, for the process alone. */
    static Confinement mounted(String option, Path folder) {
        assumeRoot();
        var mounted =
                new Confinement(
                        option,
                        List.of(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount -t tmpfs -o $1 tmpfs \"$2\" && shift 2 && exec \"$@\"",
                                "sh",
                                option,
                                folder.toString()));
        assumeTrue(mounted.allows("true"), "nothing can be mounted here");
        return mounted;
    }

    /** A control group of processes, which this process may make and fill. */
    public static Confinement group(Path group) {
        return new Confinement(
                "group",
                List.of(
                        "sh",
                        "-c",
                        "echo $$ >\"$1/cgroup.procs\" && shift && exec \"$@\"",
                        "sh",
                        group.toString()));
    }

    /** This one, and within it another one. */
    public Confinement then(Confinement inner) {
        var both = new ArrayList<>(launcher);
        both.addAll(inner.launcher);
        return new Confinement(name + ", " + inner.name, both);
    }

    public List<String> around(List<String> command) {
        var all = new ArrayList<>(launcher);
        all.addAll(command);
        return all;
    }

    private boolean allows(String... command) {
        try {
            return new ProcessBuilder(around(List.of(command))).start().waitFor() == 0;
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    private static void assumeRoot() {
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    }

    /** Copies a file or a folder to where every user can read it. */
    static Path readableCopy(Path from, Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path target = folder.resolve(String.valueOf(from.getFileName()));
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = target.resolve(from.relativize(file).toString());
                Files.copy(file, copy);
                Files.setPosixFilePermissions(
                        copy,
                        PosixFilePermissions.fromString(
                                Files.isDirectory(file) ? "rwxr-xr-x" : "rw-r--r--"));
            }
        }
        return target;
    }

    @Override
    public String toString() {
        return name;
    }
}
