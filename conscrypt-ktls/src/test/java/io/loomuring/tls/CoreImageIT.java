package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.net.KernelTls;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which copies of connections' secrets are in the memory of a process, of which a core file would
 * be made: BoringSSL's own, and where the kernel has the keys one of each direction's traffic
 * secret.
 */
@Timeout(300) // seconds a test; interrupts it
class CoreImageIT {
    private static final int TALKS = 3;
    private static final int CHUNK = 4 << 20; // bytes

    @TempDir Path folder;

    /** By name. */
    private final Map<String, byte[]> secrets = new LinkedHashMap<>();

    private final Map<String, Integer> whileOpen = new TreeMap<>();
    private final Map<String, Integer> afterwards = new TreeMap<>();

    /** Each suite in each protocol, as client of OpenSSL and as its server, in one process. */
    @Test
    void shouldHoldNoMoreCopiesOfSecretsThanAreAccountedFor() throws Exception {
        List<KeyCaptureIT.Kind> kinds =
                KeyCaptureIT.kinds().map(kind -> (KeyCaptureIT.Kind) kind.get()[0]).toList();
        byte[] marker = new byte[32];
        new SecureRandom().nextBytes(marker);
        secrets.put("marker", marker);
        var arguments = new ArrayList<>(List.of(HexFormat.of().formatHex(marker)));
        arguments.add(Integer.toString(kinds.size()));
        var peers = new ArrayList<OpenSsl>();
        try {
            for (KeyCaptureIT.Kind kind : kinds) {
                OpenSsl server = OpenSsl.server(log("client", kind), kind.options(), "-msg");
                peers.add(server);
                arguments.add(Integer.toString(server.port()));
            }
            try (OpenSsl jvm =
                    ChildJvm.start(
                            ChildJvm.withLibraries(),
                            SecretHolder.class,
                            List.of(
                                    "--enable-native-access=ALL-UNNAMED",
                                    "-XX:-UsePerfData",
                                    "-Xms128m"), // nothing is moved by a garbage collector
                            arguments.toArray(String[]::new))) {
                int port = Integer.parseInt(jvm.await("port=(\\d+)\n").group(1));
                for (KeyCaptureIT.Kind kind : kinds) {
                    peers.add(client(kind, port));
                }
                jvm.await("open, with");
                String by = KernelTls.isAvailable() ? "OFFLOADED" : "NO_KERNEL_TLS";
                jvm.await("(by " + by + " " + by + "\n){" + 2 * kinds.size() + "}");
                for (int i = 0; i < peers.size(); i++) {
                    KeyCaptureIT.Kind kind = kinds.get(i % kinds.size());
                    expect(i < kinds.size() ? "client" : "server", kind, peers.get(i));
                }
                compare(jvm.pid(), whileOpen);
                jvm.tell("\n");
                jvm.await("closed");
                compare(jvm.pid(), afterwards);
            }
        } finally {
            peers.forEach(OpenSsl::close);
        }
    }

    private Path log(String role, KeyCaptureIT.Kind kind) {
        return folder.resolve(role + kind.openSslName());
    }

    /** Which has talked. */
    private OpenSsl client(KeyCaptureIT.Kind kind, int port) throws IOException {
        String log = log("server", kind).toString();
        OpenSsl client = OpenSsl.client(port, kind.options(), "-msg", "-keylogfile", log);
        for (int i = 1; i <= TALKS; i++) {
            client.await("(?s)(abc\n.*){" + i + "}");
            client.tell("def\n");
        }
        return client;
    }

    // ---- what is expected ----

    private void expect(String name, byte[] bytes, int whileOpen, int afterwards) {
        secrets.put(name, bytes);
        this.whileOpen.put(name, whileOpen);
        this.afterwards.put(name, afterwards);
    }

    private void expect(String role, KeyCaptureIT.Kind kind, OpenSsl peer) throws IOException {
        Suite suite = kind.suite();
        for (KeyLog.Entry entry : KeyLog.read(log(role, kind))) {
            String name = role + " " + kind.openSslName() + " " + entry.label();
            if (!kind.tls13()) {
                // the session's, which a client keeps to resume it
                expect(name, entry.bytes(), 1, role.equals("client") ? 1 : 0);
                byte[] randoms = new byte[2 * SecretLayout.RANDOM];
                serverRandom(peer, randoms);
                System.arraycopy(
                        HexFormat.of().parseHex(entry.clientRandom()),
                        0,
                        randoms,
                        SecretLayout.RANDOM,
                        SecretLayout.RANDOM);
                byte[] block = KeyLog.keyBlock(suite, entry.bytes(), randoms);
                expectKeys(name, block, suite.keyLength);
                if (suite.fixedLength == Suite.NONCE) { // of GCM 4 bytes, which lie about anyway
                    int ivs = 2 * suite.keyLength;
                    expectKeys(name + " iv", Arrays.copyOfRange(block, ivs, ivs + 24), 12);
                }
            } else if (entry.label().endsWith("HANDSHAKE_TRAFFIC_SECRET")) {
                expect(name, entry.bytes(), 0, 0);
                expectExpanded(name, suite, entry, 0);
            } else if (entry.label().endsWith("TRAFFIC_SECRET_0")) {
                expect(name, entry.bytes(), KernelTls.isAvailable() ? 2 : 1, 0);
                expectExpanded(name, suite, entry, 1);
            } else {
                expect(name, entry.bytes(), 1, 0); // the exporter's
            }
        }
    }

    private void expectKeys(String name, byte[] block, int length) {
        expect(name + " client's", Arrays.copyOf(block, length), 1, 0);
        expect(name + " server's", Arrays.copyOfRange(block, length, 2 * length), 1, 0);
    }

    private void expectExpanded(String name, Suite suite, KeyLog.Entry entry, int whileOpen) {
        byte[] secret = entry.bytes();
        expect(name + " key", KeyLog.expand(suite, secret, "key", suite.keyLength), whileOpen, 0);
        expect(name + " iv", KeyLog.expand(suite, secret, "iv", Suite.NONCE), whileOpen, 0);
    }

    /** Of the hello that OpenSSL shows: a header of 4 bytes and the version come before it. */
    private static void serverRandom(OpenSsl peer, byte[] target) {
        String hello = peer.await("ServerHello\\s+((?:[0-9a-f]{2}\\s+){38})").group(1);
        byte[] bytes = HexFormat.of().parseHex(hello.replaceAll("\\s", ""));
        System.arraycopy(bytes, 4 + 2, target, 0, SecretLayout.RANDOM);
    }

    // ---- what is there ----

    private void compare(long process, Map<String, Integer> expected) throws IOException {
        Map<String, List<String>> found = search(process);
        assertThat(found).as("it can be searched").containsKey("marker");
        var wrong = new TreeMap<String, String>();
        expected.forEach((name, count) -> {
            List<String> places = found.getOrDefault(name, List.of());
            if (places.size() != count) {
                wrong.put(name, count + " expected, but: " + places);
            }
        });
        assertThat(wrong).isEmpty();
    }

    /** Where which secrets are in what a process can write to. */
    private Map<String, List<String>> search(long process) throws IOException {
        var needles = new Needles(secrets);
        var found = new TreeMap<String, List<String>>();
        byte[] chunk = new byte[CHUNK + needles.longest()];
        try (FileChannel memory = FileChannel.open(Path.of("/proc/" + process + "/mem"))) {
            for (String line : Files.readAllLines(Path.of("/proc/" + process + "/maps"))) {
                String[] range = line.split("[- ]", 4);
                if (!range[2].startsWith("rw")) {
                    continue;
                }
                long end = Long.parseUnsignedLong(range[1], 16);
                for (long at = Long.parseUnsignedLong(range[0], 16); at < end; at += CHUNK) {
                    int length = read(memory, at, chunk, Math.min(chunk.length, end - at));
                    long from = at;
                    needles.find(
                            chunk,
                            CHUNK,
                            length,
                            (name, offset) ->
                                    found.computeIfAbsent(name, _ -> new ArrayList<>())
                                            .add(
                                                    Long.toHexString(from + offset)
                                                            + " in "
                                                            + line
                                                            + around(chunk, offset)));
                }
            }
        }
        return found;
    }

    private static String around(byte[] chunk, int offset) {
        int from = Math.max(0, offset - 64);
        return " " + HexFormat.of().formatHex(chunk, from, Math.min(chunk.length, offset + 96));
    }

    private static int read(FileChannel memory, long address, byte[] target, long length) {
        ByteBuffer buffer = ByteBuffer.wrap(target, 0, (int) length);
        try {
            while (buffer.hasRemaining() && memory.read(buffer, address + buffer.position()) > 0) {
                // goes on
            }
        } catch (IOException e) {
            // the kernel's own, or unmapped just now
        }
        return buffer.position();
    }
}
