package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;

/** Child processes inherit neither descriptors nor ring memory. */
@ExtendWith(OnRings.class)
class ProcessAgentIT {
    @ParameterizedTest
    @EnumSource
    void everyDescriptorOfAConnectionIsClosedOnExec(StandardProtocolFamily family)
            throws IOException {
        Map<Integer, String> before = Descriptors.ofThisProcess();
        try (var connections = new Connections(family);
                var pair = connections.open()) {
            assertThat(pair.server().isConnected()).isTrue();
            Map<Integer, String> opened = Descriptors.ofThisProcess();
            opened.keySet().removeAll(before.keySet());
            assertThat(opened).hasSizeGreaterThanOrEqualTo(3);
            assertThat(Descriptors.inheritableOf(opened)).isEmpty();
            connections.resetOnClose(pair.client());
        }
    }

    @Test
    void everyDescriptorOfARingIsClosedOnExec() {
        Map<Integer, String> all = Descriptors.ofThisProcess();
        all.values().removeIf(link -> !link.startsWith("anon_inode:"));
        assertThat(all).containsValue("anon_inode:[io_uring]");
        assertThat(Descriptors.inheritableOf(all)).isEmpty();
    }

    @Test
    void ringMemoryIsNotInherited() throws IOException {
        var mappings = new ArrayList<String>();
        String ring = null;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                ring = line.contains("[io_uring]") ? line : null;
            } else if (ring != null && line.startsWith("VmFlags:")) {
                mappings.add(line);
            }
        }
        assertThat(mappings)
                .isNotEmpty()
                .allSatisfy(flags -> assertThat(flags).contains(" dc")); // don't copy on fork
    }

    @Test
    void aPortCanBeBoundAgainWhileAChildLives() throws Exception {
        try (var connections = new Connections(StandardProtocolFamily.INET)) {
            SocketChannel client = connections.connect();
            SocketChannel server = connections.listener().accept();
            Process child = new ProcessBuilder("cat").start(); // lives until its input ends
            try {
                connections.resetOnClose(client);
                client.close();
                server.close();
                connections.listener().close();
                try (var again = ServerSocketChannel.open()) {
                    again.bind(connections.address());
                    assertThat(child.isAlive()).isTrue();
                    assertThat(Descriptors.of(child.pid()).values())
                            .noneMatch(link -> link.startsWith("socket:"))
                            .noneMatch(link -> link.startsWith("anon_inode:"));
                }
            } finally {
                child.destroyForcibly().waitFor();
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
