package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

class OwnMemoryTest {
    private static byte[] read(long address) {
        ByteBuffer target = ByteBuffer.allocateDirect(4);
        byte[] bytes = new byte[OwnMemory.read(address, target)];
        target.get(bytes);
        return bytes;
    }

    @Test
    void shouldReadWhatIsMappedAndNothingElse() {
        assertThat(OwnMemory.isReadable()).isTrue();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4);
            memory.copyFrom(MemorySegment.ofArray(new byte[] {1, 2, 3, 4}));
            assertThat(read(memory.address())).containsExactly(1, 2, 3, 4);
        }
        assertThat(read(8)).isEmpty();
        assertThat(read(-8)).isEmpty();
    }

    @Test
    void shouldReadForAThreadThatIsInterruptedAndForOthersAfterIt() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4);
            memory.copyFrom(MemorySegment.ofArray(new byte[] {1, 2, 3, 4}));
            Thread.currentThread().interrupt();
            try {
                assertThat(read(memory.address())).containsExactly(1, 2, 3, 4);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(read(memory.address())).containsExactly(1, 2, 3, 4);
        }
    }
}
