package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.IoUringAbi;
import io.loomuring.jdk.ChannelHook;
import io.loomuring.jdk.JdkInternals;
import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.SocketImplHook;
import io.loomuring.jdk.SunNet;
import io.loomuring.ring.KernelFeatures;
import io.loomuring.ring.RingException;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Finds out what this machine allows, and why not what it doesn't. No check needs what another one
 * may find missing: it says then what it couldn't ask. The last word has a trial: loom-uring is
 * installed in this very JVM, and a message goes through its channels.
 */
final class Doctor {
    private static final Duration TRIAL_LIMIT = Duration.ofSeconds(10);

    private final Machine machine = Machine.read();
    private final List<Finding> findings = new ArrayList<>();
    private boolean nativeLibrary;

    private Doctor() {}

    /** Looks at everything; installs loom-uring in this JVM if that can be done. */
    static Diagnosis examine(String version) {
        Map<String, String> properties = Map.of();
        var doctor = new Doctor();
        try {
            properties = Config.read(System.getProperties()).properties();
        } catch (IllegalArgumentException e) {
            doctor.blocked("properties", new Obstacle(e.getMessage(), "correct or remove it"));
        }
        doctor.look();
        doctor.tryOut();
        doctor.lookAtSetupFlags();
        doctor.findings.addAll(Surroundings.look(doctor.nativeLibrary));
        return new Diagnosis(version, doctor.findings, properties);
    }

    private void look() {
        lookAtJdk();
        lookAtNativeLibrary();
        lookAtKernel();
        lookAtLimits();
    }

    private void ok(String topic, String detail) {
        findings.add(Finding.ok(topic, detail));
    }

    private void unknown(String topic, String detail) {
        findings.add(Finding.unknown(topic, detail));
    }

    private void blocked(String topic, Obstacle obstacle) {
        findings.add(Finding.blocked(topic, obstacle));
    }

    private boolean isBlocked() {
        return findings.stream().anyMatch(finding -> finding.status() == Finding.Status.BLOCKED);
    }

    // ---- JDK and native library ----

    private void lookAtJdk() {
        ok("JDK", Runtime.version() + ", " + System.getProperty("java.vm.name"));
        check("JDK scheduler hook", JdkInternals::checkSchedulerHook);
        if (SocketImplHook.isInstalled()) {
            ok("JDK socket hook", "in use in this JVM");
        } else {
            check("JDK socket hook", SocketImplHook::check);
        }
    }

    private interface Shape {
        void check() throws UnsupportedJdkException;
    }

    private void check(String topic, Shape shape) {
        try {
            shape.check();
            ok(topic, "as in JDK 25");
        } catch (UnsupportedJdkException e) {
            blocked(topic, Obstacle.of(e));
        }
    }

    private void lookAtNativeLibrary() {
        try {
            LoomUring.openJdk();
            nativeLibrary = true;
            ok("native library", "loaded");
            if (JdkInternals.Threads.canUnmount()) {
                ok("continuations", "yes");
            } else {
                blocked("continuations", Obstacle.noContinuations());
            }
            check("JDK socket helpers", SunNet::check);
            check("JDK channel hook", ChannelHook::check);
        } catch (LinkageError e) {
            blocked("native library", Obstacle.of(e));
            unknown("JDK socket helpers", "can't be asked without the native library");
            unknown("JDK channel hook", "can't be asked without the native library");
        } catch (UnsupportedJdkException e) {
            blocked("native library", Obstacle.of(e));
        }
    }

    // ---- kernel ----

    private void lookAtKernel() {
        ok(
                "kernel",
                "Linux "
                        + machine.kernel()
                        + ", "
                        + System.getProperty("os.arch")
                        + "; 6.1 or newer is needed, its features are below");
        ok(
                "sysctl io_uring_disabled",
                machine.ioUringDisabled().isEmpty()
                        ? "not in this kernel"
                        : machine.ioUringDisabled());
        ok("seccomp filter", machine.seccompFilter() ? "there is one" : "none");
        if (!nativeLibrary) {
            unknown("io_uring", "can't be asked without the native library");
            return;
        }
        try {
            KernelFeatures features = KernelFeatures.probe();
            ok("io_uring", "allowed");
            features.needed().forEach((feature, there) -> needed(feature, there));
        } catch (RingException e) {
            blocked("io_uring", Obstacle.of(e, machine));
        }
    }

    /** After the trial: each of these rings weighs on the limit of locked memory for a moment. */
    private void lookAtSetupFlags() {
        if (nativeLibrary && !isBlocked()) {
            optional("IORING_SETUP_SQPOLL", IoUringAbi.IORING_SETUP_SQPOLL);
            optional("IORING_SETUP_COOP_TASKRUN", IoUringAbi.IORING_SETUP_COOP_TASKRUN);
            optional("IORING_SETUP_SINGLE_ISSUER", IoUringAbi.IORING_SETUP_SINGLE_ISSUER);
            optional(
                    "IORING_SETUP_DEFER_TASKRUN",
                    IoUringAbi.IORING_SETUP_DEFER_TASKRUN | IoUringAbi.IORING_SETUP_SINGLE_ISSUER);
        }
    }

    private void needed(String feature, boolean there) {
        if (there) {
            ok(feature, "yes");
        } else {
            blocked(feature, Obstacle.missing(List.of(feature), machine));
        }
    }

    private void optional(String flag, int flags) {
        int error = KernelFeatures.refusalOf(flags);
        if (error == 0) {
            ok(flag, "yes");
        } else if (error == Errno.EINVAL) {
            findings.add(Finding.absent(flag, "not in this kernel", ""));
        } else {
            unknown(flag, Errno.message(error));
        }
    }

    // ---- limits ----

    private void lookAtLimits() {
        ok("locked memory", machine.lockedMemory() + " bytes for all processes of this user");
        ok("open files", machine.openFiles());
        ok("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    }

    // ---- the trial ----

    private void tryOut() {
        String topic = "trial";
        if (isBlocked()) {
            unknown(topic, "left out, for what blocks it is above");
            return;
        }
        System.setProperty(
                "loomuring.mode", "required"); // doctor's own JVM: what could be, is told
        try {
            LoomUring.install();
        } catch (IllegalStateException e) {
            blocked(topic, new Obstacle(e.getMessage(), ""));
            return;
        }
        int asked = Config.read(System.getProperties()).entries();
        int given = LoomUring.ringEntries();
        if (given == asked) {
            ok("ring entries", Integer.toString(given));
        } else {
            findings.add(
                    Finding.limited(
                            "ring entries",
                            given + ", since " + asked + " did not fit in the locked memory",
                            "raise its limit (ulimit -l), or lower loomuring.carriers"));
        }
        try {
            exchangeMessage();
            ok(
                    topic,
                    "a message between virtual threads took "
                            + LoomUring.counters().operations
                            + " ring operations");
        } catch (IOException e) {
            unknown(topic, "the carriers run, but no message passed: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            unknown(topic, "interrupted");
        }
    }

    private static void exchangeMessage() throws IOException, InterruptedException {
        try (var listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            var failure = new AtomicReference<IOException>();
            Thread server =
                    Thread.ofVirtual().start(() -> keeping(failure, () -> answer(listener)));
            Thread client = Thread.ofVirtual().start(() -> keeping(failure, () -> ask(listener)));
            if (!client.join(TRIAL_LIMIT) || !server.join(TRIAL_LIMIT)) {
                throw new IOException("nothing came in " + TRIAL_LIMIT.toSeconds() + " s");
            }
            if (failure.get() != null) {
                throw failure.get();
            }
        }
    }

    private interface Io {
        void run() throws IOException;
    }

    private static void keeping(AtomicReference<IOException> failure, Io io) {
        try {
            io.run();
        } catch (IOException e) {
            failure.set(e);
        }
    }

    private static void answer(ServerSocketChannel listener) throws IOException {
        try (SocketChannel connection = listener.accept()) {
            ByteBuffer message = ByteBuffer.allocate(1);
            connection.read(message);
            connection.write(message.flip());
        }
    }

    private static void ask(ServerSocketChannel listener) throws IOException {
        try (var connection = SocketChannel.open(listener.getLocalAddress())) {
            connection.write(ByteBuffer.wrap(new byte[] {1}));
            if (connection.read(ByteBuffer.allocate(1)) != 1) {
                throw new IOException("the connection ended early");
            }
        }
    }
}
