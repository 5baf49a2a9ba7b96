package io.loomuring;

import io.loomuring.abi.Errno;
import io.loomuring.abi.Native;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;

/** What the doctor tells of TLS, names and network devices: nothing that the main job needs. */
final class Surroundings {
    private Surroundings() {}

    private static final String TLS_TRANSMIT = "tls-hw-tx-offload";
    private static final String TLS_RECEIVE = "tls-hw-rx-offload";

    private static final String DNS = "loomuring.dns";

    static List<Finding> look(boolean nativeLibrary) {
        var findings = new ArrayList<Finding>();
        findings.add(kernelTls(Machine.text("/proc/sys/net/ipv4/tcp_available_ulp")));
        findings.addAll(devices(nativeLibrary));
        findings.add(keyCapture());
        findings.add(
                dns(
                        isOnClassPath("io.loomuring.dns.DnsjResolverProvider"),
                        System.getProperties()));
        return findings;
    }

    /**
     * Who resolves names, by dnsj's own switch and with its own settings.
     *
     * @param onClassPath whether dnsj is there
     */
    static Finding dns(boolean onClassPath, Properties properties) {
        String topic = "DNS";
        String without = "the JDK resolves names, and a look-up keeps its carrier";
        if (!onClassPath) {
            return Finding.absent(topic, without, "put dnsj.jar on the class path");
        }
        String value = properties.getProperty(DNS, "on");
        return switch (value) {
            case "on", "true" ->
                    Finding.ok(
                            topic,
                            "dnsj.jar is on the class path: a look-up parks its caller alone"
                                    + dnsSettings(properties));
            case "off", "false" ->
                    Finding.absent(
                            topic, DNS + "=" + value + ": " + without, "remove that property");
            default ->
                    Finding.absent(
                            topic,
                            DNS + " is \"" + value + "\", but must be on or off: " + without,
                            "correct or remove it");
        };
    }

    private static String dnsSettings(Properties properties) {
        var settings = new StringBuilder();
        for (String name : new TreeSet<>(properties.stringPropertyNames())) {
            if (name.startsWith(DNS + ".")) {
                settings.append(settings.isEmpty() ? "; " : ", ");
                settings.append(name).append('=').append(properties.getProperty(name));
            }
        }
        return settings.toString();
    }

    /** Asks conscrypt-ktls, which we know by this name alone, to get its own keys. */
    private static Finding keyCapture() {
        String topic = "Conscrypt key capture";
        try {
            Class<?> ktls = Class.forName("io.loomuring.tls.Ktls");
            var obstacle = (Optional<?>) ktls.getMethod("keyCaptureObstacle").invoke(null);
            return keyCapture(obstacle.map(Object::toString));
        } catch (ClassNotFoundException e) {
            return Finding.absent(
                    topic, "TLS is the JDK's", "put conscrypt-ktls.jar on the class path");
        } catch (ReflectiveOperationException | LinkageError e) {
            Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
            return Finding.absent(
                    topic,
                    "conscrypt-ktls.jar does not work here: " + cause,
                    "put it beside its lib/ and use the one of this loom-uring.jar");
        }
    }

    /** By what keeps it; empty: nothing does. */
    static Finding keyCapture(Optional<String> obstacle) {
        String topic = "Conscrypt key capture";
        return obstacle.map(reason ->
                        Finding.limited(
                                topic,
                                reason + "; what has no keys stays in user space",
                                "use the Conscrypt that lies beside conscrypt-ktls.jar, and let the"
                                        + " process read /proc/self/mem"))
                .orElse(
                        Finding.ok(
                                topic,
                                "a trial handshake's keys were found and proved, as each"
                                        + " connection's are"));
    }

    private static boolean isOnClassPath(String type) {
        try {
            Class.forName(type, false, ClassLoader.getSystemClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** From the list of the protocols that the kernel can put on top of TCP. */
    static Finding kernelTls(String upperLayerProtocols) {
        String topic = "kernel TLS";
        if (Arrays.asList(upperLayerProtocols.split(" ", -1)).contains("tls")) {
            return Finding.ok(topic, "there; conscrypt-ktls hands proved keys over to it");
        }
        return Finding.absent(
                topic,
                "the kernel offers no tls on top of TCP",
                "load its module (modprobe tls), or use a kernel with CONFIG_TLS");
    }

    // ---- network devices ----

    private static List<Finding> devices(boolean nativeLibrary) {
        var findings = new ArrayList<Finding>();
        var virtual = new TreeSet<String>();
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/sys/class/net"))) {
            for (Path device : devices) {
                String name = String.valueOf(device.getFileName());
                if (Files.exists(device.resolve("device"))) {
                    findings.add(device(name, nativeLibrary));
                } else if (Files.isDirectory(device)) {
                    virtual.add(name);
                }
            }
        } catch (IOException e) {
            return List.of(
                    Finding.unknown("TLS offload of devices", "/sys/class/net can't be read"));
        }
        if (findings.isEmpty()) {
            findings.add(
                    Finding.unknown(
                            "TLS offload of devices",
                            "no hardware is visible here (in a container?), only " + virtual));
        }
        return findings;
    }

    private static Finding device(String name, boolean nativeLibrary) {
        String topic = "TLS offload of " + name;
        if (!nativeLibrary) {
            return Finding.unknown(topic, "can't be asked without the native library");
        }
        int transmit = Native.lu_device_feature(name, TLS_TRANSMIT);
        int receive = Native.lu_device_feature(name, TLS_RECEIVE);
        if (transmit < 0 || receive < 0) {
            return Finding.unknown(topic, Errno.message(Math.min(transmit, receive)));
        }
        return offload(topic, name, transmit, receive);
    }

    /** From the bits of {@link Native#lu_device_feature}. */
    static Finding offload(String topic, String name, int transmit, int receive) {
        String detail = "transmit " + state(transmit) + ", receive " + state(receive);
        if (((transmit | receive) & Native.DEVICE_FEATURE_ACTIVE) != 0) {
            return Finding.ok(topic, detail);
        }
        boolean changeable = ((transmit | receive) & Native.DEVICE_FEATURE_CHANGEABLE) != 0;
        return Finding.absent(
                topic,
                detail,
                changeable
                        ? "ethtool -K " + name + " " + TLS_TRANSMIT + " on " + TLS_RECEIVE + " on"
                        : "");
    }

    private static String state(int feature) {
        String state = (feature & Native.DEVICE_FEATURE_ACTIVE) != 0 ? "on" : "off";
        return (feature & Native.DEVICE_FEATURE_CHANGEABLE) != 0 ? state : state + " (fixed)";
    }
}
