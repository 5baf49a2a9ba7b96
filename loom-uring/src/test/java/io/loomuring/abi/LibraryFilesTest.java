package io.loomuring.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Platform;

import io.loomuring.abi.LibraryFiles.Resource;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Libraries as files, and as links to memory. */
class LibraryFilesTest {
    private static final Resource SHIM =
            new Resource("/" + Platform.RESOURCE_PREFIX + "/libloomuring.so");

    private static byte[] bytes() throws IOException {
        try (InputStream in = SHIM.open()) {
            return in.readAllBytes();
        }
    }

    @Test
    void shouldUnpackAndLeaveNothingBehind() throws IOException {
        Path folder;
        try (var files = new LibraryFiles()) {
            folder = files.folder();
            assertThat(files.unpack(SHIM)).hasBinaryContent(bytes()).hasParent(folder);
            assertThat(files.memory()).isEmpty();
        }
        assertThat(folder).doesNotExist();
    }

    @Test
    void shouldMoveALibraryToMemoryInPlaceOfItsFile() throws IOException {
        Native.load(); // to close descriptors
        try (var files = new LibraryFiles()) {
            Path file = files.unpack(SHIM);
            assertThat(files.moveToMemory(SHIM)).isEqualTo(file).hasBinaryContent(bytes());
            assertThat(file).isSymbolicLink();
            assertThat(Files.readSymbolicLink(file).getParent())
                    .isEqualTo(Path.of("/proc/self/fd"));
            assertThat(files.memory()).hasSize(1);
            files.memory().forEach(fd -> assertThat(Native.lu_close(fd)).isZero());
        }
    }

    @Test
    void shouldSayThatALibraryIsNotInTheJar() {
        var none = new Resource("/plan9-pdp11/libloomuring.so");
        assertThatThrownBy(none::open)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not built for this platform");
    }
}
