package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What of closed connections' secrets is left on the heap whose keys were captured: nothing. */
@Timeout(60) // seconds a test; interrupts it
class HeapDumpIT {
    @TempDir Path folder;

    /** Each suite in each protocol, as client of OpenSSL and as its server, in one process. */
    @Test
    void shouldLeaveNoSecretOnTheHeap() throws Exception {
        List<KeyCaptureIT.Kind> kinds =
                KeyCaptureIT.kinds().map(kind -> (KeyCaptureIT.Kind) kind.get()[0]).toList();
        Path dump = folder.resolve("heap.hprof");
        byte[] marker = new byte[32];
        new SecureRandom().nextBytes(marker);
        var arguments = new ArrayList<>(List.of(dump.toString(), HexFormat.of().formatHex(marker)));
        arguments.add(Integer.toString(kinds.size()));
        var secrets = new LinkedHashMap<String, byte[]>();
        var servers = new ArrayList<OpenSsl>();
        try {
            for (KeyCaptureIT.Kind kind : kinds) {
                OpenSsl server = OpenSsl.server(log("client", kind), kind.options());
                servers.add(server);
                arguments.add(Integer.toString(server.port()));
            }
            try (OpenSsl jvm =
                    ChildJvm.start(
                            ChildJvm.withLibraries(),
                            HeapDumper.class,
                            List.of("--enable-native-access=ALL-UNNAMED", "-Xmx128m"),
                            arguments.toArray(String[]::new))) {
                int port = Integer.parseInt(jvm.await("port=(\\d+)\n").group(1));
                for (KeyCaptureIT.Kind kind : kinds) {
                    askFor(kind, port);
                }
                assertThat(jvm.end()).as(jvm::output).isZero();
                jvm.await("dumped");
                Matcher keys = Pattern.compile("keys (.*) (.*)\n").matcher(jvm.output());
                for (String role : List.of("client", "server")) {
                    for (KeyCaptureIT.Kind kind : kinds) {
                        assertThat(keys.find()).isTrue();
                        assertThat(keys.group(1)).isEqualTo("PROVED PROVED");
                        collect(
                                role + " " + kind,
                                kind,
                                HexFormat.of().parseHex(keys.group(2)),
                                log(role, kind),
                                secrets);
                    }
                }
            }
        } finally {
            servers.forEach(OpenSsl::close);
        }
        assertThat(secrets).hasSizeGreaterThanOrEqualTo(2 * (3 * 3 + 3 * 4));
        secrets.put("marker", marker);
        assertThat(found(dump, secrets)).containsExactly("marker");
    }

    private Path log(String role, KeyCaptureIT.Kind kind) {
        return folder.resolve(role + kind.openSslName());
    }

    private void askFor(KeyCaptureIT.Kind kind, int port) throws Exception {
        String log = log("server", kind).toString();
        try (OpenSsl client = OpenSsl.client(port, kind.options(), "-keylogfile", log)) {
            client.await("abc\n");
            client.tell("def\n");
            client.await("closed\n");
        }
    }

    /** What OpenSSL says of the only connection in this log, and the keys that follow from it. */
    private static void collect(
            String name,
            KeyCaptureIT.Kind kind,
            byte[] randoms,
            Path log,
            Map<String, byte[]> secrets)
            throws IOException {
        for (KeyLog.Entry entry : KeyLog.read(log)) {
            assertThat(entry.clientRandom()).isEqualTo(HexFormat.of().formatHex(randoms, 32, 64));
            String whose = name + " " + entry.label();
            secrets.put(whose, entry.bytes());
            int length = kind.suite().keyLength;
            if (!kind.tls13()) {
                byte[] block = KeyLog.keyBlock(kind.suite(), entry.bytes(), randoms);
                secrets.put(whose + " client's key", Arrays.copyOf(block, length));
                secrets.put(whose + " server's key", Arrays.copyOfRange(block, length, 2 * length));
            } else if (entry.label().endsWith("TRAFFIC_SECRET_0")) {
                secrets.put(
                        whose + " key", KeyLog.expand(kind.suite(), entry.bytes(), "key", length));
            }
        }
    }

    /** Which of these are in the file. */
    private static Set<String> found(Path dump, Map<String, byte[]> wanted) throws IOException {
        byte[] heap = Files.readAllBytes(dump);
        var found = new HashSet<String>();
        new Needles(wanted).find(heap, heap.length, heap.length, (name, _) -> found.add(name));
        return found;
    }
}
