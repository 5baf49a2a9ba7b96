package io.loomuring.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * This process's memory, read through {@code /proc/self/mem}: an address that is not mapped is an
 * error of a system call there, and no crash.
 */
final class OwnMemory {
    private OwnMemory() {}

    private static volatile FileChannel memory = open();

    private static FileChannel open() {
        try {
            return FileChannel.open(Path.of("/proc/self/mem"), StandardOpenOption.READ);
        } catch (IOException | SecurityException e) {
            return null; // hidden from us: no proc, or a policy
        }
    }

    static boolean isReadable() {
        return memory != null;
    }

    /**
     * Fills the buffer from its start; how much of it: less, even none, where nothing is mapped.
     */
    static int read(long address, ByteBuffer target) {
        target.clear();
        FileChannel channel = memory;
        boolean interrupted = Thread.interrupted(); // with which no channel reads, but closes
        try {
            while (channel != null && target.hasRemaining()) {
                if (channel.read(target, address + target.position()) <= 0) {
                    break;
                }
            }
        } catch (ClosedChannelException e) { // by an interrupt just now, here or of another thread
            memory = open();
        } catch (IOException | IllegalArgumentException e) {
            // not mapped; a negative address is none of this process
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        target.flip();
        return target.limit();
    }
}
