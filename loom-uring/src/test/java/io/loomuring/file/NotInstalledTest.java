package io.loomuring.file;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.file.StandardOpenOption.*;

import io.loomuring.LoomUring;
import io.loomuring.testing.Running;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Files without carriers, and before there are some. */
@Timeout(60) // seconds a test; interrupts it
class NotInstalledTest {
    @TempDir Path folder;

    @Test
    void shouldBeTheJdksBeforeTheInstallationAndOnRingsAfterIt() throws Exception {
        Path path = folder.resolve("file");
        RingFile before =
                Running.onVirtual(() -> RingFile.open(path, READ, WRITE, CREATE)).result();
        assertThat(before).isInstanceOf(JdkFile.class);
        before.write(ByteBuffer.wrap(new byte[] {1}), 0);
        before.force(true);
        assertThat(before.size()).isEqualTo(1);
        assertThat(RingFile.readAllBytes(path)).containsExactly(1);
        RingFile.Status status = RingFile.status(path);
        assertThat(status.size()).isEqualTo(1);
        assertThat(LoomUring.counters().operations).isZero();

        LoomUring.install();
        long atFirst = LoomUring.counters().operations;
        assertThat(Running.onVirtual(() -> RingFile.status(path)).result()).isEqualTo(status);
        long operations = LoomUring.counters().operations;
        assertThat(operations).isGreaterThan(atFirst);
        try (RingFile after = Running.onVirtual(() -> RingFile.open(path, WRITE)).result()) {
            assertThat(after).isInstanceOf(UringFile.class);
            after.write(ByteBuffer.wrap(new byte[] {2}), 1);
        }
        assertThat(LoomUring.counters().operations).isGreaterThan(operations);
        ByteBuffer dst = ByteBuffer.allocate(3);
        assertThat(Running.onVirtual(() -> before.read(dst, 0)).result()).isEqualTo(2);
        before.close();
        assertThat(Running.onVirtual(() -> RingFile.readAllBytes(path)).result())
                .containsExactly(1, 2);
    }
}
